# SPDX-License-Identifier: Apache-2.0
"""Randomness without state: a draw is a hash of (seed, purpose, index, field).

The hash is the finaliser of SplitMix64 (Steele, Lea, Flood 2014). What one part of a scene draws
never shifts what another part draws, and nothing depends on who draws first.
"""

import numpy as np

GAMMA = 0x9E3779B97F4A7C15
MASK = (1 << 64) - 1
FIELDS = 64

# Purposes. Numbers are part of the world: changing one changes every camera.
EVENTS, PLACE, SENSOR, NOISE, CONDITIONS, JUMP = 1, 2, 3, 4, 5, 6


def mix(z):
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9 & MASK
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB & MASK
    return z ^ (z >> 31)


class Dice:
    """All draws of one seed for one purpose; index: a second, a frame or 0; field: below 64."""

    def __init__(self, seed, purpose):
        self.key = mix(mix((seed + GAMMA) & MASK) ^ (purpose * GAMMA & MASK))

    def bits(self, index, field):
        """64 bits."""
        return mix((self.key + (index * FIELDS + field + 1) * GAMMA) & MASK)

    def below(self, n, index, field):
        """A whole number in [0, n)."""
        return (self.bits(index, field) >> 32) * n >> 32

    def chance(self, permille, index, field):
        return self.below(1000, index, field) < permille

    def bell(self, index, field):
        """A whole number around 0, nearly normal: four bytes minus 510. Deviation 147.8."""
        word = self.bits(index, field) >> 32
        return (word & 255) + (word >> 8 & 255) + (word >> 16 & 255) + (word >> 24) - 510

    def bells(self, n):
        """int16 [n]: value i is `bell` of bits(0, i // 2), of its lower half for even i."""
        with np.errstate(over="ignore"):
            z = np.uint64(self.key) + np.arange(1, (n + 1) // 2 + 1, dtype=np.uint64) * np.uint64(
                GAMMA
            )
            z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
            z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
            z = z ^ (z >> np.uint64(31))
        octets = z.astype("<u8").view(np.uint8).reshape(-1, 4)
        return (octets.sum(1, dtype=np.int16) - np.int16(510))[:n]

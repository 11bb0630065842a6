# SPDX-License-Identifier: Apache-2.0
"""From pictures to the rows that the vision tower takes, as Everwatch's `FrameProcessor` does."""

import math
from dataclasses import dataclass

import numpy as np
from PIL import Image

PATCH, MERGE, PAIR = 14, 2, 2
MEAN = np.array([0.48145466, 0.4578275, 0.40821073], np.float32)
STD = np.array([0.26862954, 0.26130258, 0.27577711], np.float32)
# Pixel value -> normalised, per channel [3, 256].
NORMALISED = ((np.arange(256) * (1.0 / 255.0)).astype(np.float32) - MEAN[:, None]) / STD[:, None]
LONGEST_ASPECT = 200


@dataclass(frozen=True)
class PixelLimits:
    """Pixels of one resized frame."""

    least: int
    most: int


@dataclass(frozen=True)
class Clip:
    """The frames of one chunk.

    Attributes:
        rows: uint8 [pairs * height * width, 1176], patches in merge-group order, not normalised
        pairs, height, width: grid in patches
        time_step: position step from one pair to the next
    """

    rows: np.ndarray
    pairs: int
    height: int
    width: int
    time_step: float

    @property
    def tokens(self) -> int:
        return self.pairs * self.height * self.width // (MERGE * MERGE)


def target_size(height: int, width: int, limits: PixelLimits) -> tuple[int, int]:
    """Whole merge groups, about the same aspect ratio, between the limits; halves go to even."""
    if max(height, width) > LONGEST_ASPECT * min(height, width):
        raise ValueError(
            f"the frame is {height}x{width} pixels; expected the longer side at most"
            f" {LONGEST_ASPECT} times the shorter; crop it"
        )
    side = PATCH * MERGE
    h, w = side * round(height / side), side * round(width / side)
    if h * w > limits.most:
        shrink = math.sqrt(height * width / limits.most)
        h = max(side, side * math.floor(height / shrink / side))
        w = max(side, side * math.floor(width / shrink / side))
    elif h * w < limits.least:
        grow = math.sqrt(limits.least / (height * width))
        h, w = side * math.ceil(height * grow / side), side * math.ceil(width * grow / side)
    return h, w


def clip(frames: np.ndarray, limits: PixelLimits, tokens_per_second: float = 2.0) -> Clip:
    """The clip of one second.

    Args:
        frames: uint8 [n, H, W, 3], evenly spread over the second; an odd last one is repeated
    """
    n, height, width, _ = frames.shape
    h, w = target_size(height, width, limits)
    if (h, w) != (height, width):
        frames = np.stack(
            [
                np.asarray(Image.fromarray(frame).resize((w, h), Image.Resampling.BICUBIC))
                for frame in frames
            ]
        )
    if n % PAIR:
        frames = np.concatenate([frames, frames[-1:]])
    pairs, gh, gw = len(frames) // PAIR, h // PATCH, w // PATCH
    rows = (
        frames.reshape(pairs, PAIR, gh // MERGE, MERGE, PATCH, gw // MERGE, MERGE, PATCH, 3)
        .transpose(0, 2, 5, 3, 6, 8, 1, 4, 7)
        .reshape(pairs * gh * gw, 3 * PAIR * PATCH * PATCH)
    )
    # One float32 product, as the serving side computes it.
    step = float(np.float32(PAIR / n * tokens_per_second))
    return Clip(np.ascontiguousarray(rows), pairs, gh, gw, step)


def normalise(rows: np.ndarray) -> np.ndarray:
    """uint8 rows of clips -> float32."""
    columns = PAIR * PATCH * PATCH
    out = np.empty(rows.shape, np.float32)
    for channel in range(3):
        at = slice(channel * columns, (channel + 1) * columns)
        out[:, at] = NORMALISED[channel][rows[:, at]]
    return out

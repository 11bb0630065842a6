// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.world;

/**
 * Randomness without state: a draw is a hash of (seed, purpose, index, field). What one part of a
 * scene draws never shifts what another part draws. The hash is the finaliser of SplitMix64
 * (Steele, Lea, Flood 2014).
 */
final class Dice {
  /** What draws are for. The numbers are part of the world. */
  enum Purpose {
    EVENTS(1),
    PLACE(2),
    SENSOR(3),
    NOISE(4),
    CONDITIONS(5);

    private final long number;

    Purpose(long number) {
      this.number = number;
    }
  }

  private static final long GAMMA = 0x9E3779B97F4A7C15L;
  private static final int FIELDS = 64;

  private final long key;

  Dice(long seed, Purpose purpose) {
    key = mix(mix(seed + GAMMA) ^ (purpose.number * GAMMA));
  }

  private static long mix(long value) {
    long z = value;
    z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
    z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
    return z ^ (z >>> 31);
  }

  private long bits(long counter) {
    return mix(key + (counter + 1) * GAMMA);
  }

  /**
   * A whole number in {@code [0, n)}.
   *
   * @param index a second, a frame, or 0
   * @param field below 64
   */
  int below(int n, long index, int field) {
    return (int) (((bits(index * FIELDS + field) >>> 32) * n) >>> 32);
  }

  boolean chance(int permille, long index, int field) {
    return below(1000, index, field) < permille;
  }

  <T> T oneOf(T[] values, long index, int field) {
    return values[below(values.length, index, field)];
  }

  /** A whole number around 0, nearly normal, of deviation 147.8: four bytes minus 510. */
  int bell(long index, int field) {
    return bell((int) (bits(index * FIELDS + field) >>> 32));
  }

  /** {@code n} of them: value {@code i} is of draw {@code i / 2}, of its lower half for even i. */
  short[] bells(int n) {
    short[] values = new short[n];
    for (int i = 0; i < n; i++) {
      long drawn = bits(i / 2);
      values[i] = (short) bell((int) (i % 2 == 0 ? drawn : drawn >>> 32));
    }
    return values;
  }

  private static int bell(int word) {
    return (word & 255) + ((word >> 8) & 255) + ((word >> 16) & 255) + (word >>> 24) - 510;
  }
}

// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.scene;

/**
 * A counter-based generator: draw {@code n} of a stream is a pure function of (seed, stream, n), so
 * that what one part of a scene draws never shifts another part. The mixing function is the
 * finaliser of SplitMix64 (Steele, Lea, Flood 2014). {@code StrictMath} keeps the values equal on
 * every machine.
 */
final class SceneRandom {
  private static final long GOLDEN_GAMMA = 0x9E3779B97F4A7C15L;
  private static final double UNIT = 0x1.0p-53;

  private final long key;
  private long counter;

  SceneRandom(long seed, int stream) {
    key = mix(mix(seed + GOLDEN_GAMMA) ^ (stream * GOLDEN_GAMMA));
  }

  private static long mix(long value) {
    long z = value;
    z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
    z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
    return z ^ (z >>> 31);
  }

  private long nextBits() {
    counter++;
    return mix(key + counter * GOLDEN_GAMMA);
  }

  /** In {@code [0, 1)}. */
  double unit() {
    return (nextBits() >>> 11) * UNIT;
  }

  /** In {@code [low, high)}. */
  double uniform(double low, double high) {
    return low + (high - low) * unit();
  }

  /** A whole number in {@code [low, high)}. */
  int between(int low, int high) {
    return low + (int) (unit() * (high - low));
  }

  boolean chance(double probability) {
    return unit() < probability;
  }

  <T> T oneOf(T[] values) {
    return values[between(0, values.length)];
  }

  double exponential(double mean) {
    return -mean * StrictMath.log(1 - unit());
  }

  /** Standard normal (Box and Muller 1958, the cosine half). */
  double normal() {
    double radius = StrictMath.sqrt(-2 * StrictMath.log(1 - unit()));
    return radius * StrictMath.cos(2 * Math.PI * unit());
  }
}

// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cpu;

/** Elementary functions in float32, accurate to about one unit in the last place. */
final class Exp {
  private static final float LOG2E = (float) (1 / Math.log(2));
  // ln 2 in two parts: the first has so few bits that its product with an exponent is exact.
  private static final float LN2_HIGH = 355f / 512;
  private static final float LN2_LOW = (float) (Math.log(2) - 355.0 / 512);
  private static final float ROUND = 12582912f; // 1.5 * 2^23: adding it leaves no fraction bits
  private static final float LOWEST = -87.3f; // below, the result is not a normal number
  private static final float HIGHEST = 88.3f;

  private Exp() {}

  /** {@code e^x}; 0 below -87.3, infinite above 88.3, NaN for NaN. */
  static float exp(float x) {
    if (!(x >= LOWEST)) {
      return x < LOWEST ? 0f : Float.NaN;
    }
    if (x > HIGHEST) {
      return Float.POSITIVE_INFINITY;
    }
    float n = x * LOG2E + ROUND - ROUND;
    float r = x - n * LN2_HIGH - n * LN2_LOW; // |r| <= ln 2 / 2
    // Taylor to the seventh power: the next term is below 2^-27.
    float p = 1f / 5040;
    p = p * r + 1f / 720;
    p = p * r + 1f / 120;
    p = p * r + 1f / 24;
    p = p * r + 1f / 6;
    p = p * r + 0.5f;
    p = p * r * r + r + 1f;
    return p * Float.intBitsToFloat(((int) n + 127) << 23);
  }
}

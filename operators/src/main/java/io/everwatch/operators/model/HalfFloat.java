// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.model;

/** IEEE 754 binary16. Java has this from version 20 on. */
final class HalfFloat {
  private HalfFloat() {}

  /** Exact; every NaN gives a NaN. */
  static float toFloat(short bits) {
    int sign = (bits & 0x8000) << 16;
    int exponent = (bits >> 10) & 0x1f;
    int fraction = bits & 0x3ff;
    if (exponent == 0) {
      // Zero or subnormal: fraction * 2^-24, exact in float32.
      float magnitude = fraction * 0x1p-24f;
      return sign == 0 ? magnitude : -magnitude;
    }
    int wide = exponent == 31 ? 0xff : exponent - 15 + 127;
    return Float.intBitsToFloat(sign | wide << 23 | fraction << 13);
  }
}

// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cuda;

/** bf16 on the host: the upper half of a float32. */
final class Bf16 {
  private Bf16() {}

  /** Rounds to nearest, ties to even; NaN stays NaN. */
  static short of(float value) {
    if (Float.isNaN(value)) {
      return 0x7fff;
    }
    int bits = Float.floatToRawIntBits(value);
    return (short) ((bits + 0x7fff + (bits >>> 16 & 1)) >>> 16);
  }

  static float widen(short bits) {
    return Float.intBitsToFloat(bits << 16);
  }

  static short[] of(float[] values) {
    short[] bits = new short[values.length];
    for (int i = 0; i < values.length; i++) {
      bits[i] = of(values[i]);
    }
    return bits;
  }

  static float[] widen(short[] bits) {
    float[] values = new float[bits.length];
    for (int i = 0; i < bits.length; i++) {
      values[i] = widen(bits[i]);
    }
    return values;
  }

  /** Each value rounded to bf16 and widened again: what the device sees. */
  static float[] round(float[] values) {
    return widen(of(values));
  }
}

// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.ShortBuffer;

/** Values of cached rows as bytes, little-endian, as a {@link RowPool} and snapshots have them. */
public final class RowValues {
  private RowValues() {}

  /** The values of a row of F32. */
  public static byte[] bytes(float[] values) {
    byte[] row = new byte[Math.multiplyExact(values.length, Float.BYTES)];
    floats(row).put(values);
    return row;
  }

  /** A row of F32 as numbers: a view, for copies in bulk. */
  public static FloatBuffer floats(byte[] row) {
    return ByteBuffer.wrap(row).order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer();
  }

  /** The values of a row, widened to float32. */
  public static float[] values(byte[] row, DType type) {
    float[] values = new float[row.length / type.sizeBytes()];
    if (type == DType.F32) {
      floats(row).get(values);
    } else {
      requireBf16(type);
      ShortBuffer halves = shorts(row);
      for (int i = 0; i < values.length; i++) {
        values[i] = Float.intBitsToFloat(halves.get(i) << 16);
      }
    }
    return values;
  }

  /**
   * The same values in another type: bf16 widened, float32 rounded to the nearest, ties to even.
   *
   * @return {@code row} itself where the types are the same
   */
  public static byte[] convert(byte[] row, DType from, DType to) {
    if (from == to) {
      return row;
    }
    float[] values = values(row, from);
    if (to == DType.F32) {
      return bytes(values);
    }
    requireBf16(to);
    byte[] rounded = new byte[values.length * Short.BYTES];
    ShortBuffer halves = shorts(rounded);
    for (int i = 0; i < values.length; i++) {
      halves.put(i, bf16(values[i]));
    }
    return rounded;
  }

  /** The upper half of the nearest bf16; a NaN stays one. */
  static short bf16(float value) {
    int bits = Float.floatToRawIntBits(value);
    if (Float.isNaN(value)) {
      return (short) ((bits >>> 16) | 0x40); // quiet: its payload may lie in the lower half alone
    }
    int half = 0x7FFF + ((bits >>> 16) & 1); // carries into the upper half from the middle on
    return (short) ((bits + half) >>> 16);
  }

  private static ShortBuffer shorts(byte[] row) {
    return ByteBuffer.wrap(row).order(ByteOrder.LITTLE_ENDIAN).asShortBuffer();
  }

  private static void requireBf16(DType type) {
    if (type != DType.BF16) {
      throw new IllegalArgumentException(
          "cached rows of type %s; expected F32 or BF16".formatted(type));
    }
  }
}

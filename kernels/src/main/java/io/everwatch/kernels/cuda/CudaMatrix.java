// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cuda;

import io.everwatch.kernels.DType;
import io.everwatch.kernels.Matrix;

/**
 * Weights {@code [rows, columns]} on a device, in the one copy that all products read. F32:
 * row-major. BF16: tile images {@code [N/128][K/64][128 rows][8 chunks of 16 bytes]}, zero where N
 * and K are padded, chunk j of row r at {@code j ^ (r & 7)} (design note gpu.md, section 3). The
 * memory belongs to whoever {@link CudaWeights} took it from.
 *
 * @param address of the first element or image, 16-byte aligned
 */
record CudaMatrix(String name, int rows, int columns, DType type, long address) implements Matrix {
  /** Outputs of a tile image. */
  static final int TILE_ROWS = 128;

  /** Inputs of a tile image: 128 bytes, the widest swizzle. */
  static final int TILE_COLUMNS = 64;

  private static final int TILE_BYTES = TILE_ROWS * TILE_COLUMNS * DType.BF16.sizeBytes();

  /** Device memory that such a matrix takes. */
  static long bytes(int rows, int columns, DType type) {
    return switch (type) {
      case F32 -> Math.multiplyExact((long) rows * columns, type.sizeBytes());
      case BF16 -> Math.multiplyExact(Launches.ceil(rows, TILE_ROWS), bandBytes(columns));
      case F16 ->
          throw new IllegalArgumentException(
              "weights of type F16; expected BF16 or F32, there are no kernels for others");
    };
  }

  /** A row of tile images: 128 outputs, all inputs. */
  static long bandBytes(int columns) {
    return (long) Launches.ceil(columns, TILE_COLUMNS) * TILE_BYTES;
  }
}

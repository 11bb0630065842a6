// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cuda;

import io.everwatch.kernels.DType;
import io.everwatch.kernels.SeededTensor;

/**
 * Launches {@code random_weights.cu}: fills weights with the values of a {@link SeededTensor} on
 * the device, instead of making them on the host and copying.
 *
 * <p>One thread at a time.
 */
final class CudaRandomWeights {
  private static final int BLOCK = 256;
  private static final int TILE_BLOCK = 64;
  private static final int TILE_COLUMNS = 64;
  private static final int CHUNKS = 8; // of a tile's row

  private final Kernel bf16;
  private final Kernel f32;
  private final Kernel tiles;

  CudaRandomWeights(CudaDevice device) {
    KernelModule module = KernelModule.load(device, "random_weights");
    bf16 = module.kernel("fill_seeded_bf16");
    f32 = module.kernel("fill_seeded_f32");
    tiles = module.kernel("fill_seeded_tiles");
  }

  /**
   * The tensor's elements in their order.
   *
   * @param type F32, or BF16: rounded to nearest, ties to even
   */
  void fill(CudaStream stream, SeededTensor tensor, DType type, long out) {
    long elements = tensor.elements();
    long blocks = (elements + BLOCK - 1) / BLOCK;
    if (blocks > Integer.MAX_VALUE) {
      throw new IllegalArgumentException(
          "tensor %s has %,d elements; expected at most %,d; split it"
              .formatted(tensor.name(), elements, (long) Integer.MAX_VALUE * BLOCK));
    }
    if (elements == 0) {
      return;
    }
    Kernel kernel = Launches.suffix(type).equals("_bf16") ? bf16 : f32;
    kernel.launch(
        stream,
        (int) blocks,
        1,
        1,
        BLOCK,
        0,
        kernel
            .args()
            .pointer(out)
            .i64(tensor.seed())
            .i64(elements)
            .f32(tensor.offset())
            .f32(tensor.scale()));
  }

  /**
   * The tensor {@code [rows, columns]} (higher dimensions flattened) as bf16 rows {@code [firstRow,
   * firstRow + rows)} of tile images {@code [N/128][K/64][128 rows][8 chunks of 16 bytes]}, chunk j
   * of row r at {@code j ^ (r & 7)}. Columns beyond the tensor's become zero, rows beyond stay.
   *
   * @param image address of the images, 16-byte aligned
   */
  void fillTiles(CudaStream stream, SeededTensor tensor, int firstRow, long image) {
    Launches.aligned("fillTiles", image);
    int rows = Math.toIntExact(tensor.shape().get(0));
    if (tensor.elements() == 0) {
      return;
    }
    int columns = Math.toIntExact(tensor.elements() / rows);
    int wide = Launches.ceil(columns, TILE_COLUMNS);
    tiles.launch(
        stream,
        rows,
        Launches.ceil(CHUNKS * wide, TILE_BLOCK),
        1,
        TILE_BLOCK,
        0,
        tiles
            .args()
            .pointer(image)
            .i64(tensor.seed())
            .i32(firstRow)
            .i32(columns)
            .i32(wide)
            .f32(tensor.offset())
            .f32(tensor.scale()));
  }
}

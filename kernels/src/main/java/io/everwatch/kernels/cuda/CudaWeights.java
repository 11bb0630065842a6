// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cuda;

import io.everwatch.kernels.DType;
import io.everwatch.kernels.SeededTensor;
import io.everwatch.kernels.TensorSource;
import io.everwatch.kernels.WeightParts;
import java.util.List;
import java.util.function.LongUnaryOperator;

/**
 * Lays weights out on a device, a piece of about a million elements at a time: host array → pinned
 * ring → staging on the device → tile images. Closed when the model is loaded; the matrices live
 * on.
 *
 * <p>One thread at a time, that of the stream.
 */
final class CudaWeights implements AutoCloseable {
  private static final int BLOCK = 256;
  private static final int CHUNKS = CudaMatrix.TILE_COLUMNS / 8; // of a tile's row
  private static final int RING_PIECES = 2; // one is filled while the other is copied
  private static final int PIECE_BYTES = 4 << 20;

  private final CudaStream stream;
  private final DType type;
  private final LongUnaryOperator memory;
  private final UploadRing ring;
  private final Kernel relayout;
  private final CudaRandomWeights random;
  private DeviceMemory staging;

  /**
   * @param type of the weights on the device, BF16 or F32
   * @param memory where matrices go: bytes to an address that is aligned to 16 bytes and stays
   *     theirs
   */
  CudaWeights(CudaStream stream, DType type, LongUnaryOperator memory) {
    CudaDevice device = stream.device();
    this.stream = stream;
    this.type = type;
    this.memory = memory;
    relayout = KernelModule.load(device, "relayout").kernel("relayout");
    random = new CudaRandomWeights(device);
    ring = new UploadRing(stream, RING_PIECES, PIECE_BYTES);
    staging = DeviceMemory.allocate(device, PIECE_BYTES, "weights on their way");
  }

  /**
   * See {@link io.everwatch.kernels.Backend#matrix}. What is launched later on the same stream
   * finds the weights in place.
   *
   * @throws io.everwatch.kernels.DeviceException of class REFUSED when the memory is full
   */
  CudaMatrix matrix(String name, List<? extends TensorSource> parts) {
    int columns = WeightParts.columns(name, parts);
    int rows = WeightParts.rows(parts);
    long address = memory.applyAsLong(CudaMatrix.bytes(rows, columns, type));
    CudaMatrix matrix = new CudaMatrix(name, rows, columns, type, address);
    if (type == DType.BF16 && rows % CudaMatrix.TILE_ROWS != 0) {
      long band = CudaMatrix.bandBytes(columns); // its last rows are in no part
      stream.fill(address + rows / CudaMatrix.TILE_ROWS * band, (byte) 0, band);
    }
    int row = 0;
    for (TensorSource part : parts) {
      load(part, row, matrix);
      row += Math.toIntExact(part.shape().get(0));
    }
    return matrix;
  }

  private void load(TensorSource part, int firstRow, CudaMatrix matrix) {
    int columns = matrix.columns();
    if (part instanceof SeededTensor seeded) {
      if (type == DType.F32) {
        random.fill(stream, seeded, type, matrix.address() + rowOffset(firstRow, columns));
      } else {
        random.fillTiles(stream, seeded, firstRow, matrix.address());
      }
      return;
    }
    WeightParts.forEachPiece(
        List.of(part),
        columns,
        (row, count, values) -> loadPiece(matrix, firstRow + row, count, values));
  }

  private void loadPiece(CudaMatrix matrix, int row, int count, float[] values) {
    int columns = matrix.columns();
    int elements = Math.multiplyExact(count, columns);
    if (type == DType.F32) {
      ring.upload(values, 0, elements, type, matrix.address() + rowOffset(row, columns));
      return;
    }
    long piece = staging(rowOffset(count, columns));
    ring.upload(values, 0, elements, DType.F32, piece);
    long threads = (long) count * Launches.ceil(columns, CudaMatrix.TILE_COLUMNS) * CHUNKS;
    relayout.launch(
        stream,
        Math.toIntExact((threads + BLOCK - 1) / BLOCK),
        1,
        1,
        BLOCK,
        0,
        relayout.args().pointer(piece).pointer(matrix.address()).i32(row).i32(count).i32(columns));
  }

  private static long rowOffset(int row, int columns) {
    return (long) row * columns * Float.BYTES;
  }

  /** A piece is one row where a row alone is longer than a piece should be. */
  private long staging(long bytes) {
    if (bytes > staging.bytes()) {
      stream.synchronize();
      staging.close();
      staging = DeviceMemory.allocate(stream.device(), bytes, "weights on their way");
    }
    return staging.address();
  }

  /** Waits for what was launched and frees what lay on the way. */
  @Override
  public void close() {
    if (!stream.device().isLost()) {
      stream.synchronize();
    }
    ring.close();
    staging.close();
  }
}

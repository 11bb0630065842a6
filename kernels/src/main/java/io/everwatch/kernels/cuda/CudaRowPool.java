// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cuda;

import io.everwatch.kernels.DType;
import io.everwatch.kernels.KvShape;
import io.everwatch.kernels.PendingRows;
import io.everwatch.kernels.RowPool;
import io.everwatch.kernels.SparseCounters;

/**
 * Cached rows on the device and all that attention over them needs, in one allocation:
 *
 * <ul>
 *   <li>planes K (before rotation) and V, {@code [layers][slots][W]} of the pool's type;
 *   <li>the working copy, rotated K of the rows that take part in a step, {@code [layers][work
 *       rows][W]} in blocks of {@value StepTables#WORK_BLOCK_ROWS} rows, and each of its rows'
 *       slot, where its V is;
 *   <li>partial results of decode attention, the rotary frequencies, and the counts of sparse
 *       prefill.
 * </ul>
 *
 * A context is a list of work blocks: row r has its rotated K at {@code block[r / 64] * 64 + r %
 * 64}. The working copy is an eighth larger than the rows, and by {@value #SPARE_BLOCKS} blocks: a
 * context's last block is seldom full, and several may share slots.
 */
final class CudaRowPool implements RowPool {
  private static final int SPARE_BLOCKS = 64;

  private final CudaStream stream;
  private final KvShape shape;
  private final DType dtype;
  private final int slots;
  private final WorkBlocks workBlocks;
  private final Sizes sizes;
  private final DeviceMemory memory;
  private final RowTransfers transfers;
  private final StepBatches batches;
  private final CudaAttention attention;
  private final CudaSparsePrefill sparse;
  private SparseCounters sparseCounts = SparseCounters.NONE;
  private boolean closed;

  /** Bytes of the parts, padded. */
  private record Sizes(
      long plane, long work, long slotOf, long partial, long sums, long frequencies) {
    static Sizes of(KvShape shape, DType dtype, int slots, int workBlocks) {
      long workRows = (long) workBlocks * StepTables.WORK_BLOCK_ROWS;
      long rowOfLayer = (long) shape.kvHeads() * shape.headDim() * dtype.sizeBytes();
      long layers = Math.multiplyExact(shape.layers(), rowOfLayer);
      // A context of n blocks has at most n pieces.
      long parts = Math.multiplyExact((long) workBlocks, shape.heads());
      return new Sizes(
          Slab.padded(Math.multiplyExact(layers, (long) slots)),
          Slab.padded(Math.multiplyExact(layers, workRows)),
          Slab.padded(4 * workRows),
          Slab.padded(Math.multiplyExact(parts, 4L * shape.headDim())),
          Slab.padded(8 * parts),
          Slab.padded(2L * shape.headDim()));
    }

    long total() {
      return 2 * plane + work + slotOf + partial + sums + frequencies + SparseTotals.BYTES;
    }
  }

  /**
   * @param stream on which all passes over this pool run
   * @param dtype of the stored values, F32 or BF16
   * @throws io.everwatch.kernels.DeviceException of class REFUSED when the device has no room
   */
  CudaRowPool(CudaStream stream, KvShape shape, DType dtype, int slots) {
    this(stream, shape, dtype, slots, workBlocksFor(slots), RowTransfers.PIECE_BYTES);
  }

  /** As the other one, with a working copy of that many blocks and transfers in smaller pieces. */
  CudaRowPool(
      CudaStream stream, KvShape shape, DType dtype, int slots, int workBlocks, int pieceBytes) {
    check(shape, dtype, slots);
    this.stream = stream;
    this.shape = shape;
    this.dtype = dtype;
    this.slots = slots;
    this.workBlocks = new WorkBlocks(workBlocks);
    this.sizes = Sizes.of(shape, dtype, slots, workBlocks);
    this.memory =
        DeviceMemory.allocate(
            stream.device(), sizes.total(), "row pool of %,d slots".formatted(slots));
    RowTransfers copies = null;
    try {
      copies = new RowTransfers(this, pieceBytes);
      BlockingCopies writes = new BlockingCopies(stream.device());
      writes.write(frequenciesAddress(), frequencies(shape));
      writes.write(sparseTotalsAddress(), new long[SparseTotals.BYTES / Long.BYTES]);
      sparse = new CudaSparsePrefill(this);
      attention = new CudaAttention(this);
      batches = new StepBatches(this);
    } catch (RuntimeException e) {
      try (memory;
          RowTransfers made = copies) {
        throw e;
      }
    }
    transfers = copies;
  }

  private static void check(KvShape shape, DType dtype, int slots) {
    int d = shape.headDim();
    if (d != 32 && d != 64 && d != 128) {
      throw new IllegalArgumentException(
          "row pool: head dim %d; the cuda back end has attention for 32, 64 and 128; use the cpu back end"
              .formatted(d));
    }
    if (dtype == DType.F16) {
      throw new IllegalArgumentException("row pool: type F16; expected BF16 or F32");
    }
    if (slots < 1) {
      throw new IllegalArgumentException(
          "row pool: %d slots; expected at least one".formatted(slots));
    }
  }

  private static int workBlocksFor(int slots) {
    return (int) ((slots + slots / 8L) / StepTables.WORK_BLOCK_ROWS) + SPARE_BLOCKS;
  }

  /** Device memory that a pool of so many slots takes, half as much again as its rows and more. */
  static long bytesFor(KvShape shape, DType dtype, int slots) {
    return Sizes.of(shape, dtype, slots, workBlocksFor(slots)).total();
  }

  /** The most slots whose pool fits into {@code bytes}; 0 if none does. */
  static int slotsWithin(KvShape shape, DType dtype, long bytes) {
    int low = 0;
    int high = Integer.MAX_VALUE / 2; // work rows are an int
    while (low < high) {
      int middle = low + (high - low + 1) / 2;
      if (bytesFor(shape, dtype, middle) <= bytes) {
        low = middle;
      } else {
        high = middle - 1;
      }
    }
    return low;
  }

  /** {@code theta^(-2i/D)}, computed in double and rounded, as the CPU back end does. */
  private static float[] frequencies(KvShape shape) {
    float[] frequencies = new float[shape.headDim() / 2];
    for (int i = 0; i < frequencies.length; i++) {
      frequencies[i] = (float) Math.pow(shape.ropeTheta(), -2.0 * i / shape.headDim());
    }
    return frequencies;
  }

  @Override
  public KvShape shape() {
    return shape;
  }

  @Override
  public int slots() {
    return slots;
  }

  @Override
  public DType dtype() {
    return dtype;
  }

  CudaDevice device() {
    return stream.device();
  }

  CudaStream stream() {
    return stream;
  }

  WorkBlocks workBlocks() {
    return workBlocks;
  }

  /** Makes the batches of this pool's contexts. */
  StepBatches batches() {
    return batches;
  }

  /** Attention over this pool's contexts. */
  CudaAttention attention() {
    return attention;
  }

  /** Attention over blocks that the spans of a batch choose. */
  CudaSparsePrefill sparse() {
    return sparse;
  }

  /** What {@link #sparseTotalsAddress} held when it was looked at last. */
  SparseCounters sparseCounts() {
    return sparseCounts;
  }

  void sparseCounts(SparseCounters seen) {
    sparseCounts = seen;
  }

  CudaContext context() {
    checkOpen();
    return new CudaContext(this);
  }

  /** Bytes of K or V of one layer of a row. */
  int layerRowBytes() {
    return shape.kvHeads() * shape.headDim() * dtype.sizeBytes();
  }

  long workRows() {
    return (long) workBlocks.total() * StepTables.WORK_BLOCK_ROWS;
  }

  // --- addresses ---

  /** {@code [slots][W]} of a layer. */
  long keysAddress(int layer) {
    return memory.address() + (long) layer * slots * layerRowBytes();
  }

  /** {@code [slots][W]} of a layer. */
  long valuesAddress(int layer) {
    return keysAddress(layer) + sizes.plane();
  }

  /** {@code [work rows][W]} of a layer. */
  long workAddress(int layer) {
    return memory.address() + 2 * sizes.plane() + layer * workRows() * layerRowBytes();
  }

  /** int [work rows]. */
  long slotOfAddress() {
    return memory.address() + 2 * sizes.plane() + sizes.work();
  }

  /** f32 [work blocks][H][D]. */
  long partialAddress() {
    return slotOfAddress() + sizes.slotOf();
  }

  /** float2 [work blocks][H]. */
  long sumsAddress() {
    return partialAddress() + sizes.partial();
  }

  /** f32 [D/2]. */
  long frequenciesAddress() {
    return sumsAddress() + sizes.sums();
  }

  /** SparseCounts of sparse_rows.cu. */
  long sparseTotalsAddress() {
    return frequenciesAddress() + sizes.frequencies();
  }

  // --- rows to and from the host ---

  void checkSlots(String operation, int[] wanted) {
    checkOpen();
    for (int slot : wanted) {
      if (slot < 0 || slot >= slots) {
        throw new IllegalArgumentException(
            "%s: no slot %d; expected 0 to %d".formatted(operation, slot, slots - 1));
      }
    }
  }

  /** Sees that rows asked for by {@link #read} have been copied before their slots change. */
  void beforeOverwriting(int[] changing) {
    transfers.beforeOverwriting(changing);
  }

  @Override
  public void write(int[] to, byte[][] rows) {
    checkSlots("row pool", to);
    if (rows.length != to.length) {
      throw new IllegalArgumentException(
          "row pool: %d rows for %d slots; expected one for each"
              .formatted(rows.length, to.length));
    }
    for (int i = 0; i < rows.length; i++) {
      if (rows[i].length != rowBytes()) {
        throw new IllegalArgumentException(
            "row pool: row %d has %d bytes; expected %d, [%d][2][%d] of %s; is it of another model?"
                .formatted(
                    i,
                    rows[i].length,
                    rowBytes(),
                    shape.layers(),
                    shape.kvHeads() * shape.headDim(),
                    dtype));
      }
    }
    transfers.write(to, rows);
  }

  @Override
  public PendingRows read(int[] wanted) {
    checkSlots("row pool", wanted);
    return transfers.read(wanted);
  }

  private void checkOpen() {
    if (closed) {
      throw new IllegalStateException("row pool: used after close");
    }
  }

  /** Rows asked for and not yet waited for are lost. */
  @Override
  public void close() {
    if (!closed) {
      closed = true;
      try (memory;
          sparse;
          batches;
          transfers) {
        if (!device().isLost()) {
          stream.synchronize(); // nothing may use it any more
        }
      }
    }
  }
}

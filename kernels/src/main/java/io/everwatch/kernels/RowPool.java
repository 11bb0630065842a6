// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels;

/**
 * Cached rows of all streams: {@code slots} rows of {@link KvShape}, K <b>before rotation</b>. Who
 * owns which slot is the engine's business; the pool neither allocates nor frees. A row never
 * changes once written, until its slot is used for another.
 *
 * <p>On the host a row is {@code [layers][2][kvHeads * headDim]} values of {@link #dtype},
 * little-endian, K before V.
 */
public interface RowPool extends AutoCloseable {
  KvShape shape();

  int slots();

  /** Type of the stored values: F32 or BF16. */
  DType dtype();

  /** Bytes of one row on the host. */
  default int rowBytes() {
    return Math.toIntExact(Math.multiplyExact(shape().rowElements(), dtype().sizeBytes()));
  }

  /**
   * Copies rows to their slots, before anything that is asked of the back end later; {@code rows}
   * may be changed afterwards.
   *
   * @param rows one array of {@link #rowBytes} per slot
   */
  void write(int[] slots, byte[][] rows);

  /**
   * Begins to copy rows to the host, for snapshots and for streams that give way to others: the
   * rows as all operations called before this one leave them, whatever becomes of the slots
   * afterwards. The caller does not wait; a device copies beside its other work.
   */
  PendingRows read(int[] slots);

  @Override
  void close();
}

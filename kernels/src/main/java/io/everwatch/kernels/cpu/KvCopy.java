// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cpu;

/** Rotated K and V of consecutive rows, in the layout of one {@link AttentionKernel}. */
interface KvCopy extends AutoCloseable {
  /** Makes room for {@code rows} rows in all; keeps what was put. */
  void reserve(int rows);

  /**
   * Puts K and V of rows {@code [first, first + count)} of one layer, inside what was reserved.
   *
   * @param k and {@code v}: {@code [count, kvHeads * headDim]}, from the start of the array
   */
  void put(int layer, int first, int count, float[] k, float[] v);

  /** Fills {@code out [count, headDim]} with rotated K of one head, rows from {@code first} on. */
  void keys(int layer, int kvHead, int first, int count, float[] out);

  @Override
  void close();
}

// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cpu;

/**
 * Attention of one query head over chosen rows, and the products that choosing them takes, on the
 * copies of one {@link AttentionKernel}. Safe to call from several threads at once; results are a
 * function of the arguments alone.
 */
interface BlockKernel extends AutoCloseable {
  /**
   * Fills {@code out [count, rows]} with the softmax of {@code q_i . k_j / sqrt(D)} over the first
   * {@code visible + i} rows of the window, 0 behind them.
   *
   * @param q {@code [count, headDim]}
   * @param visible rows that the first query sees
   */
  void probabilities(int worker, KvWindow keys, float[] q, int count, int visible, float[] out);

  /**
   * Attention of one row block.
   *
   * @param keys where the head's rows are
   * @param runs which of them the queries see
   * @param q {@code [count, headDim]}
   * @param out {@code [count, headDim]}; not {@code q}
   * @param lse logarithm of the sum of exponentials of each query's scores, {@code [count]}
   */
  void attend(
      int worker, KvWindow keys, KeyRuns runs, float[] q, int count, float[] out, float[] lse);

  @Override
  void close();
}

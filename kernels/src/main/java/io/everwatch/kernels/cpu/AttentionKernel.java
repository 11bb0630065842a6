// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cpu;

/**
 * {@code softmax(Q K^T / sqrt(D)) V} of the query heads that share one KV head. Safe to call from
 * several threads at once; the result is a function of the arguments alone.
 */
interface AttentionKernel extends AutoCloseable {
  /** An empty copy for {@code layers} layers. */
  KvCopy newCopy(int layers, int kvHeads, int headDim);

  /** The same over chosen rows; closed before this one. */
  BlockKernel blocks();

  /** What decides the bits. */
  String numerics();

  /**
   * Fills {@code out}.
   *
   * @param worker number of the calling thread, see {@link CpuThreads.Task}
   * @param q rotated queries {@code [tokens, group, headDim]}
   * @param causal the tokens are the last rows of the window, each sees the rows up to its own;
   *     otherwise every token sees every row
   * @param out {@code [tokens, group, headDim]}; not {@code q}
   */
  void attend(
      int worker, KvWindow keys, float[] q, int tokens, int group, boolean causal, float[] out);

  @Override
  void close();
}

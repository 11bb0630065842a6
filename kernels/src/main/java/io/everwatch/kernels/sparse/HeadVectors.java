// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.sparse;

import io.everwatch.kernels.BlockGrid;

/** One query head's queries, and the keys of its KV head, all rotated: what a selector looks at. */
public interface HeadVectors {
  /** d. */
  int headDim();

  /** Fills {@code out [count, d]} with queries from {@code first} on, counted within the span. */
  void queries(int first, int count, float[] out);

  /** Kp (4.2): the first {@code [nb, d]} are the means of the keys that exist in each block. */
  float[] pooledKeys(BlockGrid grid);

  /**
   * Attention of queries over all keys (4.1): the first {@code [count, N]} are the softmax of
   * {@code q_i . k_j / sqrt(d)} over the keys up to the query's own row, 0 behind it.
   *
   * @return holds until the next call
   */
  float[] probabilities(BlockGrid grid, int first, int count);
}

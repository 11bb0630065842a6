// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.sparse;

/** One query head's queries, and the keys of its KV head, all rotated: what a selector looks at. */
public interface HeadVectors {
  /** d. */
  int headDim();

  /** Fills {@code out [count, d]} with queries from {@code first} on, counted within the span. */
  void queries(int first, int count, float[] out);

  /** Fills {@code out [count, d]} with keys from {@code first} on, counted from the context's. */
  void keys(int first, int count, float[] out);

  /**
   * Products of queries with all keys: fills {@code out [count, N]} with {@code q_i . k_j /
   * sqrt(d)}, keys behind a query's own row included.
   */
  void scores(int first, int count, float[] out);
}

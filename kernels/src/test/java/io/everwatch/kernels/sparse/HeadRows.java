// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.sparse;

import io.everwatch.kernels.BlockGrid;
import java.util.Arrays;

/** Vectors of which keys and scores are known: what is pooled and probed follows from them. */
public interface HeadRows extends HeadVectors {
  /** Fills {@code out [count, d]} with keys from {@code first} on, counted from the context's. */
  void keys(int first, int count, float[] out);

  /** Fills {@code out [count, N]} with {@code q_i . k_j / sqrt(d)}, of all keys. */
  void scores(int first, int count, float[] out);

  @Override
  default float[] pooledKeys(BlockGrid grid) {
    return new PooledKeys(grid.block(), headDim(), this::keys).of(grid.keys());
  }

  @Override
  default float[] probabilities(BlockGrid grid, int first, int count) {
    float[] p = new float[count * grid.keys()];
    scores(first, count, p);
    for (int i = 0; i < count; i++) {
      int visible = grid.contextRows() + first + i + 1;
      Softmax.apply(p, i * grid.keys(), visible);
      Arrays.fill(p, i * grid.keys() + visible, (i + 1) * grid.keys(), 0);
    }
    return p;
  }
}

// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cpu;

import io.everwatch.kernels.KvShape;
import io.everwatch.kernels.sparse.PooledKeys;
import org.jspecify.annotations.Nullable;

/**
 * Block means of a context's rotated keys, of every layer and KV head: made when first asked for,
 * and kept from piece to piece of a prompt, as long as the context lives.
 */
final class KeyMeans {
  private final KvCopy copy;
  private final KvShape shape;
  private final @Nullable PooledKeys[][] means; // [layers][kvHeads]

  KeyMeans(KvCopy copy, KvShape shape) {
    this.copy = copy;
    this.shape = shape;
    means = new PooledKeys[shape.layers()][shape.kvHeads()];
  }

  /** Keys of a layer from row {@code first} on were written. */
  void changed(int layer, int first) {
    for (PooledKeys pooled : means[layer]) {
      if (pooled != null) {
        pooled.changed(first);
      }
    }
  }

  /**
   * Means of the first {@code rows} rows, see {@link PooledKeys#of}. Safe to call at once from
   * several threads of which each has its own KV head.
   */
  float[] of(int layer, int kvHead, int block, int rows) {
    PooledKeys pooled = means[layer][kvHead];
    if (pooled == null || pooled.block() != block) {
      pooled =
          new PooledKeys(
              block,
              shape.headDim(),
              (first, count, out) -> copy.keys(layer, kvHead, first, count, out));
      means[layer][kvHead] = pooled;
    }
    return pooled.of(rows);
  }
}

// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.sparse;

import java.util.Arrays;

/**
 * Kp (4.2): means of the keys of one KV head by block, true counts, the last one included. The grid
 * of blocks is counted from the context's first row, so what was pooled for one piece of a prompt
 * holds for the next (7): full blocks are kept while rows are added, and the last, partial one is
 * made anew.
 */
public final class PooledKeys {
  private final int block;
  private final int dim;
  private final Rows rows;
  private final float[] keys;
  private final double[] sums;
  private float[] means = new float[0];
  private int kept; // blocks whose means are those of the rows

  /** Where the keys are. */
  @FunctionalInterface
  public interface Rows {
    /** Fills {@code out [count, d]} with keys from {@code first} on, counted from the context's. */
    void keys(int first, int count, float[] out);
  }

  public PooledKeys(int block, int headDim, Rows rows) {
    this.block = block;
    this.dim = headDim;
    this.rows = rows;
    keys = new float[block * headDim];
    sums = new double[headDim];
  }

  /** B. */
  public int block() {
    return block;
  }

  /** Rows from {@code first} on are others now. */
  public void changed(int first) {
    kept = Math.min(kept, first / block);
  }

  /**
   * The first {@code [nb, d]} are the means of the first {@code count} rows.
   *
   * @return not to be written to; holds until the next call
   */
  public float[] of(int count) {
    int blocks = (count - 1) / block + 1;
    if (means.length < blocks * dim) {
      means = Arrays.copyOf(means, Math.multiplyExact(blocks + blocks / 2, dim));
    }
    for (int c = kept; c < blocks; c++) {
      int first = c * block;
      int size = Math.min(block, count - first);
      rows.keys(first, size, keys);
      Pooling.mean(keys, size, dim, sums, means, c * dim);
    }
    kept = Math.max(kept, count / block);
    return means;
  }
}

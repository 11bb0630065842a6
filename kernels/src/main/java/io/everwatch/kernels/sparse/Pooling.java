// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.sparse;

import io.everwatch.kernels.BlockGrid;
import java.util.Arrays;

/** Attention between means: of the keys of a block, of the queries of a row block. */
final class Pooling {
  private Pooling() {}

  /** E [nb] (4.2): what the mean of the probe's queries expects of each key block; no mask. */
  static float[] estimate(BlockGrid grid, HeadVectors vectors, float[] pooledKeys) {
    int dim = vectors.headDim();
    float[] query =
        meanQuery(vectors, grid.queries() - grid.probes(), grid.probes(), new float[dim]);
    float[] estimate = new float[grid.blocks()];
    softmaxRow(query, pooledKeys, estimate, 0, grid.blocks());
    return estimate;
  }

  /**
   * A [R, nb] (4.6): the same for the mean of each row block's queries in this span, over the key
   * blocks up to the diagonal; 0 above it.
   */
  static float[] map(BlockGrid grid, HeadVectors vectors, float[] pooledKeys) {
    float[] map = new float[Math.multiplyExact(grid.rows(), grid.blocks())];
    float[] query = new float[vectors.headDim()];
    for (int row = 0; row < grid.rows(); row++) {
      int first = grid.firstQuery(row);
      meanQuery(vectors, first, grid.firstQuery(row + 1) - first, query);
      softmaxRow(query, pooledKeys, map, row * grid.blocks(), grid.firstRow() + row + 1);
    }
    return map;
  }

  private static float[] meanQuery(HeadVectors vectors, int first, int count, float[] mean) {
    int dim = vectors.headDim();
    float[] rows = new float[count * dim];
    vectors.queries(first, count, rows);
    mean(rows, count, dim, new double[dim], mean, 0);
    return mean;
  }

  /**
   * Mean of {@code rows [count, dim]}.
   *
   * @param sums of a dimension each, overwritten
   */
  static void mean(float[] rows, int count, int dim, double[] sums, float[] to, int at) {
    Arrays.fill(sums, 0);
    for (int i = 0; i < count; i++) {
      for (int d = 0; d < dim; d++) {
        sums[d] += rows[i * dim + d];
      }
    }
    for (int d = 0; d < dim; d++) {
      to[at + d] = (float) (sums[d] / count);
    }
  }

  /** Softmax of {@code query . key / sqrt(d)} over the first {@code visible} pooled keys. */
  private static void softmaxRow(
      float[] query, float[] pooledKeys, float[] out, int at, int visible) {
    int dim = query.length;
    double scale = 1 / Math.sqrt(dim);
    for (int c = 0; c < visible; c++) {
      double dot = 0;
      for (int d = 0; d < dim; d++) {
        dot += (double) query[d] * pooledKeys[c * dim + d];
      }
      out[at + c] = (float) (dot * scale);
    }
    Softmax.apply(out, at, visible);
  }
}

// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.sparse;

import io.everwatch.kernels.BlockGrid;
import io.everwatch.kernels.BlockMask;
import java.util.List;

/**
 * Attention over chosen blocks in double, query by query and key by key.
 *
 * @param out {@code [n, heads, d]}
 * @param lse {@code [n, heads]}
 */
public record MaskedReference(double[] out, double[] lse) {
  /** Over what each head chose. */
  public static MaskedReference of(StructuredHeads heads, List<BlockMask> masks) {
    BlockGrid grid = heads.grid();
    int dim = heads.headDim();
    int count = heads.heads();
    double[] out = new double[grid.queries() * count * dim];
    double[] lse = new double[grid.queries() * count];
    double[] weights = new double[grid.keys()];
    for (int head = 0; head < count; head++) {
      float[] q = heads.queries(head);
      float[] k = heads.keys(head);
      float[] v = heads.values(head);
      for (int i = 0; i < grid.queries(); i++) {
        int position = grid.contextRows() + i;
        int row = position / grid.block() - grid.firstRow();
        double max = Double.NEGATIVE_INFINITY;
        for (int j = 0; j <= position; j++) {
          weights[j] = Double.NEGATIVE_INFINITY;
          if (masks.get(head).has(row, j / grid.block())) {
            double dot = 0;
            for (int d = 0; d < dim; d++) {
              dot += (double) q[i * dim + d] * k[j * dim + d];
            }
            weights[j] = dot / Math.sqrt(dim);
          }
          max = Math.max(max, weights[j]);
        }
        double sum = 0;
        for (int j = 0; j <= position; j++) {
          weights[j] = Math.exp(weights[j] - max);
          sum += weights[j];
        }
        lse[i * count + head] = max + Math.log(sum);
        for (int j = 0; j <= position; j++) {
          for (int d = 0; d < dim; d++) {
            out[(i * count + head) * dim + d] += weights[j] / sum * v[j * dim + d];
          }
        }
      }
    }
    return new MaskedReference(out, lse);
  }

  /** Largest difference; infinite where one is not a number. */
  public static double worst(double[] expected, float[] actual) {
    double worst = expected.length == actual.length ? 0 : Double.POSITIVE_INFINITY;
    for (int i = 0; i < Math.min(expected.length, actual.length); i++) {
      double difference = Math.abs(expected[i] - actual[i]);
      worst = difference <= worst ? worst : Double.isNaN(difference) ? 1 / 0.0 : difference;
    }
    return worst;
  }
}

// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.sparse;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.everwatch.kernels.BlockGrid;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Sections 4.2 and 4.6: means of what exists, and attention between them, beside plain sums. */
class PoolingTest {
  private static final int DIM = 16;

  /** Mean of vectors {@code [from, to)}. */
  private static double[] mean(float[] vectors, int from, int to) {
    double[] mean = new double[DIM];
    for (int i = from; i < to; i++) {
      for (int d = 0; d < DIM; d++) {
        mean[d] += vectors[i * DIM + d] / (double) (to - from);
      }
    }
    return mean;
  }

  /** Softmax of a mean query over the means of the first {@code blocks} key blocks. */
  private static double[] softmax(double[] query, float[] keys, BlockGrid grid, int blocks) {
    double[] shares = new double[blocks];
    double sum = 0;
    for (int c = 0; c < blocks; c++) {
      int end = Math.min(grid.keys(), (c + 1) * grid.block());
      double[] key = mean(keys, c * grid.block(), end);
      double dot = 0;
      for (int d = 0; d < DIM; d++) {
        dot += query[d] * key[d];
      }
      shares[c] = Math.exp(dot / 4); // the root of 16
      sum += shares[c];
    }
    for (int c = 0; c < blocks; c++) {
      shares[c] /= sum;
    }
    return shares;
  }

  @ParameterizedTest(name = "blocks of {0}, {1} queries of {2} keys")
  @CsvSource({"32,100,100", "32,96,128", "32,77,205", "64,13,300", "128,333,700"})
  void meansAreOfTheRowsThatExistAndRowBlocksSeeUpToTheirDiagonal(
      int block, int queries, int keys) {
    BlockGrid grid = new BlockGrid(block, queries, keys);
    StructuredHeads heads = StructuredHeads.of(2, grid, 5, 1, DIM);
    for (int head = 0; head < 5; head++) {
      float[] q = heads.queries(head);
      float[] k = heads.keys(head);
      HeadVectors vectors = heads.vectors(head);
      float[] pooled = vectors.pooledKeys(grid);

      double[] probe = mean(q, queries - Math.min(block, queries), queries);
      near(Pooling.estimate(grid, vectors, pooled), 0, softmax(probe, k, grid, grid.blocks()));

      float[] map = Pooling.map(grid, vectors, pooled);
      assertThat(map).hasSize(grid.rows() * grid.blocks());
      int context = keys - queries;
      for (int row = 0; row < grid.rows(); row++) {
        int r = context / block + row;
        double[] query =
            mean(q, Math.max(0, r * block - context), Math.min(queries, (r + 1) * block - context));
        near(map, row * grid.blocks(), softmax(query, k, grid, r + 1));
        for (int c = r + 1; c < grid.blocks(); c++) {
          assertThat(map[row * grid.blocks() + c]).as("above the diagonal").isZero();
        }
      }
    }
  }

  private static void near(float[] actual, int at, double[] expected) {
    for (int c = 0; c < expected.length; c++) {
      assertThat((double) actual[at + c]).as("block %d", c).isCloseTo(expected[c], within(1e-5));
    }
  }
}

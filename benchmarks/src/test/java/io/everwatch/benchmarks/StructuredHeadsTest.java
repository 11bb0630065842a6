// SPDX-License-Identifier: Apache-2.0
package io.everwatch.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;

import io.everwatch.benchmarks.StructuredHeads.Kind;
import java.util.function.IntPredicate;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Heads look where their kind says. */
class StructuredHeadsTest {
  private static final int DIM = 128;
  private static final int ROW = 6000;

  private final StructuredHeads heads = new StructuredHeads(DIM, 1e6);

  /** Softmax of one row. */
  private double[] attention(Kind kind, int row) {
    float[] q = new float[DIM];
    heads.query(kind, row, 3, q, 0);
    heads.rotate(row, q, 0);
    double[] weights = new double[row + 1];
    double sum = 0;
    for (int j = 0; j <= row; j++) {
      float[] k = new float[DIM];
      heads.key(j, 1, k, 0);
      heads.rotate(j, k, 0);
      double dot = 0;
      for (int d = 0; d < DIM; d++) {
        dot += q[d] * k[d];
      }
      weights[j] = Math.exp(dot / Math.sqrt(DIM));
      sum += weights[j];
    }
    for (int j = 0; j <= row; j++) {
      weights[j] /= sum;
    }
    return weights;
  }

  private static double mass(double[] weights, IntPredicate where) {
    double mass = 0;
    for (int j = 0; j < weights.length; j++) {
      mass += where.test(j) ? weights[j] : 0;
    }
    return mass;
  }

  private static boolean column(int j) {
    return (j >= 1000 && j < 1016) || (j >= 4000 && j < 4016);
  }

  private static IntPredicate target(Kind kind) {
    return switch (kind) {
      case WINDOW -> j -> j > ROW - 64;
      case COLUMNS -> StructuredHeadsTest::column;
      case DIAGONAL -> j -> Math.abs(j - (ROW - 1280)) < 64;
      case DIAGONAL_BETWEEN -> j -> Math.abs(j - (ROW - 1344)) < 64;
      case MIXED -> j -> j > ROW - 64 || column(j) || Math.abs(j - (ROW - 1280)) < 64;
      case MANY_COLUMNS -> j -> j % 4096 >= 1500 && j % 4096 < 1516;
      case SCATTERED -> j -> j % 1021 == 700;
      case FLAT -> j -> true;
    };
  }

  @ParameterizedTest
  @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "FLAT")
  void aKindSharesItsMassBetweenTheFirstRowsAndWhatItIsNamedAfter(Kind kind) {
    double[] weights = attention(kind, ROW);
    double sink = mass(weights, j -> j < 4);
    double target = mass(weights, target(kind));
    assertThat(sink).as("first rows").isBetween(0.2, 0.95);
    assertThat(target).as("target").isBetween(0.05, 0.8);
    assertThat(sink + target).isBetween(0.99, 1.000001);
  }

  @Test
  void aFlatHeadHasNoFavourite() {
    for (double weight : attention(Kind.FLAT, ROW)) {
      assertThat(weight).isLessThan(0.01);
    }
  }

  @Test
  void rowsAreTheSameWhereverTheyAreWritten() {
    float[] alone = new float[DIM];
    float[] behind = new float[3 * DIM];
    heads.value(77, 2, alone, 0);
    heads.value(77, 2, behind, 2 * DIM);
    assertThat(behind).endsWith(alone).startsWith(new float[2 * DIM]);
    heads.value(78, 2, behind, 0);
    assertThat(behind).doesNotContain(alone[0], org.assertj.core.data.Index.atIndex(0));
  }
}

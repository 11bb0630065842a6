// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.sparse;

import io.everwatch.kernels.BlockGrid;

/**
 * What the last queries of a span see (4.1): the mean of their softmax rows by key ({@code V}) and
 * by distance from the query ({@code S}). Both sum to 1.
 */
final class ProbeMass {
  /** Probe rows whose scores are held at a time. */
  private static final int TILE = 32;

  private final BlockGrid grid;
  private final double[] byKey;
  private final double[] byDistance;

  private ProbeMass(BlockGrid grid) {
    this.grid = grid;
    byKey = new double[grid.keys()];
    byDistance = new double[grid.keys()];
  }

  static ProbeMass of(BlockGrid grid, HeadVectors vectors) {
    ProbeMass mass = new ProbeMass(grid);
    int probes = grid.probes();
    int keys = grid.keys();
    float[] scores = new float[Math.multiplyExact(Math.min(TILE, probes), keys)];
    for (int i = 0; i < probes; i += TILE) {
      int count = Math.min(TILE, probes - i);
      vectors.scores(grid.queries() - probes + i, count, scores);
      for (int row = 0; row < count; row++) {
        mass.add(scores, row * keys, keys - probes + i + row);
      }
    }
    return mass;
  }

  /**
   * Adds the softmax of one probe row.
   *
   * @param at of its scores
   * @param position p: the last key that it sees
   */
  private void add(float[] scores, int at, int position) {
    double sum = Softmax.exponentials(scores, at, position + 1);
    double share = 1 / (sum * grid.probes());
    for (int j = 0; j <= position; j++) {
      double weight = scores[at + j] * share;
      byKey[j] += weight;
      byDistance[position - j] += weight;
    }
  }

  /** V [N]. */
  float[] columns() {
    return rounded(byKey);
  }

  /** S [N]. */
  float[] offsets() {
    return rounded(byDistance);
  }

  /** Vb [nb]. */
  float[] columnBlocks() {
    return binned(byKey, 0);
  }

  /** Sb [nb]: the bins are anchored at the oldest key, hence the shift by the tail. */
  float[] offsetBlocks() {
    return binned(byDistance, grid.tail());
  }

  private float[] binned(double[] mass, int shift) {
    double[] bins = new double[grid.blocks()];
    for (int i = 0; i < mass.length; i++) {
      bins[(i + shift) / grid.block()] += mass[i];
    }
    return rounded(bins);
  }

  private static float[] rounded(double[] values) {
    float[] floats = new float[values.length];
    for (int i = 0; i < floats.length; i++) {
      floats[i] = (float) values[i];
    }
    return floats;
  }
}

// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.sparse;

import io.everwatch.kernels.BlockGrid;
import java.util.Arrays;

/**
 * What the last queries of a span see (4.1): the mean of their softmax rows by key ({@code V}) and
 * by distance from the query ({@code S}). Both sum to 1.
 */
final class ProbeMass {
  /** Probabilities that are held at a time: 4 MiB. In tiles of 1 MiB a probe took longer. */
  private static final int TILE = 1 << 20;

  /** Probe rows of a tile at least, however many keys there are. */
  private static final int TILE_ROWS = 32;

  private final BlockGrid grid;
  private final double[] byKey;
  private final double[] byDistance;
  private final float[] tileByKey;
  private final float[] tileFromEnd; // by distance, backwards: from the last key on

  private ProbeMass(BlockGrid grid) {
    this.grid = grid;
    byKey = new double[grid.keys()];
    byDistance = new double[grid.keys()];
    tileByKey = new float[grid.keys()];
    tileFromEnd = new float[grid.keys()];
  }

  static ProbeMass of(BlockGrid grid, HeadVectors vectors) {
    ProbeMass mass = new ProbeMass(grid);
    int probes = grid.probes();
    int tile = Math.min(probes, Math.max(TILE_ROWS, TILE / grid.keys()));
    for (int i = 0; i < probes; i += tile) {
      int count = Math.min(tile, probes - i);
      mass.add(vectors.probabilities(grid, grid.queries() - probes + i, count), i, count);
    }
    return mass;
  }

  /**
   * Adds probe rows. Their own sum is float32, as the probabilities are: loops of one type, and
   * without turning a direction, are what the compiler vectorises.
   *
   * @param p {@code [count, N]}
   * @param first of the probe's rows
   */
  private void add(float[] p, int first, int count) {
    int keys = grid.keys();
    Arrays.fill(tileByKey, 0);
    Arrays.fill(tileFromEnd, 0);
    for (int i = 0; i < count; i++) {
      int behind = grid.probes() - 1 - first - i; // rows that this one does not see
      addTo(tileByKey, 0, p, i * keys, keys - behind);
      addTo(tileFromEnd, behind, p, i * keys, keys - behind);
    }
    double share = 1.0 / grid.probes();
    for (int j = 0; j < keys; j++) {
      byKey[j] += share * tileByKey[j];
      byDistance[j] += share * tileFromEnd[keys - 1 - j];
    }
  }

  private static void addTo(float[] sums, int at, float[] p, int from, int count) {
    for (int j = 0; j < count; j++) {
      sums[at + j] += p[from + j];
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

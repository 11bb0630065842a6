// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cpu;

import io.everwatch.kernels.TensorSource;
import io.everwatch.kernels.WeightParts;
import java.util.Arrays;
import java.util.List;

/**
 * Weights transposed: a product is then a sum of scaled weight columns, which the compiler
 * vectorises (a sum of floats along a row it may not, since that would change its order). It does
 * so only for arrays that are all read from their start, hence an array per column and panel and
 * sums in an array of their own. Sums run over the columns in ascending order, whatever the batch.
 */
final class PlainMatrix implements CpuMatrix {
  /** Outputs computed together: 4 KiB of sums stay in the first-level cache. */
  private static final int PANEL = 1024;

  private final String name;
  private final int rows;
  private final int columns;
  private final float[][][] panels; // [panel][column][outputs of the panel]
  private final CpuThreads threads;
  private final float[][] sums; // [threads][PANEL]

  private PlainMatrix(String name, int rows, int columns, float[][][] panels, CpuThreads threads) {
    this.name = name;
    this.rows = rows;
    this.columns = columns;
    this.panels = panels;
    this.threads = threads;
    this.sums = new float[threads.count()][PANEL];
  }

  static PlainMatrix of(
      String name, List<? extends TensorSource> parts, int columns, CpuThreads threads) {
    int rows = WeightParts.rows(parts);
    float[][][] panels = new float[(rows + PANEL - 1) / PANEL][columns][];
    for (int panel = 0; panel < panels.length; panel++) {
      for (int c = 0; c < columns; c++) {
        panels[panel][c] = new float[Math.min(PANEL, rows - panel * PANEL)];
      }
    }
    WeightParts.forEachPiece(
        parts,
        columns,
        (row, count, values) -> {
          for (int r = 0; r < count; r++) {
            float[][] panel = panels[(row + r) / PANEL];
            for (int c = 0; c < columns; c++) {
              panel[c][(row + r) % PANEL] = values[r * columns + c];
            }
          }
        });
    return new PlainMatrix(name, rows, columns, panels, threads);
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public int rows() {
    return rows;
  }

  @Override
  public int columns() {
    return columns;
  }

  @Override
  public void multiply(float[] x, int xFrom, int tokens, float[] y, int yFrom) {
    threads.run(
        tokens * panels.length,
        (long) rows * columns / panels.length,
        (worker, task) -> {
          int token = task / panels.length;
          int panel = task % panels.length;
          multiplyRow(x, xFrom + token * columns, panels[panel], sums[worker]);
          System.arraycopy(
              sums[worker], 0, y, yFrom + token * rows + panel * PANEL, panels[panel][0].length);
        });
  }

  private void multiplyRow(float[] x, int xAt, float[][] panel, float[] sum) {
    int width = panel[0].length;
    Arrays.fill(sum, 0, width, 0f);
    int c = 0;
    for (; c + 4 <= columns; c += 4) {
      addScaled(
          x[xAt + c],
          panel[c],
          x[xAt + c + 1],
          panel[c + 1],
          x[xAt + c + 2],
          panel[c + 2],
          x[xAt + c + 3],
          panel[c + 3],
          sum,
          width);
    }
    for (; c < columns; c++) {
      addScaled(x[xAt + c], panel[c], sum, width);
    }
  }

  private static void addScaled(
      float x0,
      float[] w0,
      float x1,
      float[] w1,
      float x2,
      float[] w2,
      float x3,
      float[] w3,
      float[] sum,
      int width) {
    for (int n = 0; n < width; n++) {
      sum[n] = sum[n] + x0 * w0[n] + x1 * w1[n] + x2 * w2[n] + x3 * w3[n];
    }
  }

  private static void addScaled(float x0, float[] w0, float[] sum, int width) {
    for (int n = 0; n < width; n++) {
      sum[n] = sum[n] + x0 * w0[n];
    }
  }

  @Override
  public void close() {}
}

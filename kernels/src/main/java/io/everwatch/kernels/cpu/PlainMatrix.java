// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cpu;

import io.everwatch.kernels.TensorSource;
import java.util.Arrays;
import java.util.List;

/**
 * Weights transposed to {@code [columns, rows]}: a product is then a sum of scaled weight rows,
 * which the compiler vectorises (a sum of floats along a row it may not, since that would change
 * its order). Sums run over the columns in ascending order, whatever the batch.
 */
final class PlainMatrix implements CpuMatrix {
  /** Outputs computed together: 4 KiB of sums stay in the first-level cache. */
  private static final int PANEL = 1024;

  private final String name;
  private final int rows;
  private final int columns;
  private final float[] transposed;
  private final CpuThreads threads;

  private PlainMatrix(String name, int rows, int columns, float[] transposed, CpuThreads threads) {
    this.name = name;
    this.rows = rows;
    this.columns = columns;
    this.transposed = transposed;
    this.threads = threads;
  }

  static PlainMatrix of(
      String name, List<? extends TensorSource> parts, int columns, CpuThreads threads) {
    int rows = WeightParts.rows(parts);
    float[] transposed = new float[Math.multiplyExact(rows, columns)];
    WeightParts.forEachPiece(
        parts,
        columns,
        (row, count, values) -> {
          for (int c = 0; c < columns; c++) {
            for (int r = 0; r < count; r++) {
              transposed[c * rows + row + r] = values[r * columns + c];
            }
          }
        });
    return new PlainMatrix(name, rows, columns, transposed, threads);
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
    int panels = (rows + PANEL - 1) / PANEL;
    threads.run(
        tokens * panels,
        (long) rows * columns / panels,
        (worker, task) -> {
          int token = task / panels;
          int from = task % panels * PANEL;
          row(
              x,
              xFrom + token * columns,
              from,
              Math.min(rows - from, PANEL),
              y,
              yFrom + token * rows + from);
        });
  }

  /** One token times {@code width} outputs from {@code first}. */
  private void row(float[] x, int xAt, int first, int width, float[] y, int yAt) {
    Arrays.fill(y, yAt, yAt + width, 0f);
    int c = 0;
    for (; c + 4 <= columns; c += 4) {
      float x0 = x[xAt + c];
      float x1 = x[xAt + c + 1];
      float x2 = x[xAt + c + 2];
      float x3 = x[xAt + c + 3];
      int w0 = c * rows + first;
      int w1 = w0 + rows;
      int w2 = w1 + rows;
      int w3 = w2 + rows;
      for (int n = 0; n < width; n++) {
        y[yAt + n] =
            y[yAt + n]
                + x0 * transposed[w0 + n]
                + x1 * transposed[w1 + n]
                + x2 * transposed[w2 + n]
                + x3 * transposed[w3 + n];
      }
    }
    for (; c < columns; c++) {
      float x0 = x[xAt + c];
      int w0 = c * rows + first;
      for (int n = 0; n < width; n++) {
        y[yAt + n] += x0 * transposed[w0 + n];
      }
    }
  }

  @Override
  public void close() {}
}

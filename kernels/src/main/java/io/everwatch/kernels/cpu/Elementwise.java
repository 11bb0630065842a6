// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cpu;

/** Operations that look at one row or one element at a time. */
final class Elementwise implements AutoCloseable {
  private static final int ROWS_PER_TASK = 32;
  private static final int ELEMENTS_PER_TASK = 1 << 14;
  private static final int FUNCTION_COST = 5; // one exp against one multiplication

  private final CpuThreads threads;
  private final Activation silu;
  private final Activation gelu;

  Elementwise(CpuThreads threads, Activation silu, Activation gelu) {
    this.threads = threads;
    this.silu = silu;
    this.gelu = gelu;
  }

  void rmsNorm(CpuBuffer x, float[] gain, float eps, int tokens, CpuBuffer out) {
    int width = gain.length;
    int tasks = (tokens + ROWS_PER_TASK - 1) / ROWS_PER_TASK;
    threads.run(
        tasks,
        2L * ROWS_PER_TASK * width,
        (worker, task) -> {
          int end = Math.min(tokens, (task + 1) * ROWS_PER_TASK);
          for (int t = task * ROWS_PER_TASK; t < end; t++) {
            normRow(x.data, x.from + t * width, gain, eps, out.data, out.from + t * width);
          }
        });
  }

  private static void normRow(float[] x, int from, float[] gain, float eps, float[] y, int to) {
    int width = gain.length;
    // Four sums in double: independent chains, and no rounding that the tests would see.
    double s0 = 0;
    double s1 = 0;
    double s2 = 0;
    double s3 = 0;
    int c = 0;
    for (; c + 4 <= width; c += 4) {
      double a = x[from + c];
      double b = x[from + c + 1];
      double d = x[from + c + 2];
      double e = x[from + c + 3];
      s0 += a * a;
      s1 += b * b;
      s2 += d * d;
      s3 += e * e;
    }
    for (; c < width; c++) {
      double a = x[from + c];
      s0 += a * a;
    }
    float scale = (float) (1 / Math.sqrt((s0 + s1 + (s2 + s3)) / width + eps));
    for (c = 0; c < width; c++) {
      y[to + c] = gain[c] * (x[from + c] * scale);
    }
  }

  void swiGlu(CpuBuffer gateUp, int tokens, int width, CpuBuffer out) {
    int rowsPerTask = Math.max(1, ELEMENTS_PER_TASK / Math.max(1, width));
    int tasks = (tokens + rowsPerTask - 1) / rowsPerTask;
    threads.run(
        tasks,
        (long) rowsPerTask * width * FUNCTION_COST,
        (worker, task) -> {
          int first = task * rowsPerTask;
          int rows = Math.min(rowsPerTask, tokens - first);
          int gate = gateUp.from + first * 2 * width;
          int to = out.from + first * width;
          silu.apply(worker, gateUp.data, gate, 2 * width, rows, width, out.data, to);
          for (int t = 0; t < rows; t++) {
            multiply(gateUp.data, gate + (2 * t + 1) * width, width, out.data, to + t * width);
          }
        });
  }

  /** {@code y *= x}. */
  private static void multiply(float[] x, int from, int width, float[] y, int at) {
    for (int c = 0; c < width; c++) {
      y[at + c] *= x[from + c];
    }
  }

  void gelu(CpuBuffer x, int elements) {
    int tasks = (elements + ELEMENTS_PER_TASK - 1) / ELEMENTS_PER_TASK;
    threads.run(
        tasks,
        (long) ELEMENTS_PER_TASK * FUNCTION_COST,
        (worker, task) -> {
          int first = task * ELEMENTS_PER_TASK;
          int count = Math.min(ELEMENTS_PER_TASK, elements - first);
          int at = x.from + first;
          gelu.apply(worker, x.data, at, count, 1, count, x.data, at);
        });
  }

  /** Adds {@code row} to each of {@code tokens} rows at {@code to[at..]}. */
  void addRow(float[] row, int tokens, float[] to, int at) {
    for (int t = 0; t < tokens; t++) {
      int from = at + t * row.length;
      for (int c = 0; c < row.length; c++) {
        to[from + c] += row[c];
      }
    }
  }

  /** {@code to += x}. */
  void add(float[] x, int elements, CpuBuffer to) {
    float[] y = to.data;
    int at = to.from;
    for (int i = 0; i < elements; i++) {
      y[at + i] += x[i];
    }
  }

  @Override
  public void close() {
    silu.close();
    gelu.close();
  }
}

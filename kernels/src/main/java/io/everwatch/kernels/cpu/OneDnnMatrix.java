// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cpu;

/** Packed weights in panels of output features, each a product of its own. */
final class OneDnnMatrix implements CpuMatrix {
  /** Tasks take multiples: for fewer rows, reading the weights costs more than multiplying. */
  private static final int ROWS_OF_A_TASK = 8;

  private final String name;
  private final int rows;
  private final int columns;
  private final Panel[] panels;
  private final CpuThreads threads;
  private final Staging[] staging;

  /** Outputs {@code [first, first + kernels.rows())}. */
  record Panel(int first, MatmulKernels kernels, NativeMemory weights) {}

  OneDnnMatrix(
      String name, int rows, int columns, Panel[] panels, CpuThreads threads, Staging[] staging) {
    this.name = name;
    this.rows = rows;
    this.columns = columns;
    this.panels = panels;
    this.threads = threads;
    this.staging = staging;
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
    long cost = (long) tokens * rows * columns;
    if (tokens <= RowBlocks.LARGEST && !threads.shares(2, cost / 2)) {
      multiplyBlocks(x, xFrom, tokens, RowBlocks.COUNT - 1, y, yFrom);
      return;
    }
    // As many tasks of the same size for each thread: same bits, see RowBlocks.
    int threadsPerPanel = (threads.count() + panels.length - 1) / panels.length;
    int rounds =
        (tokens + RowBlocks.LARGEST * threadsPerPanel - 1) / (RowBlocks.LARGEST * threadsPerPanel);
    int size = roundUp((tokens + rounds * threadsPerPanel - 1) / (rounds * threadsPerPanel));
    int blocks = (tokens + size - 1) / size;
    int tasks = blocks * panels.length;
    threads.run(
        tasks,
        cost / Math.max(1, tasks),
        (worker, task) -> {
          int from = task / panels.length * size;
          Panel panel = panels[task % panels.length];
          int end = Math.min(from + size, tokens);
          for (int at = from; at < end; ) {
            int block = RowBlocks.next(end - at, RowBlocks.COUNT - 1);
            int now = Math.min(RowBlocks.size(block), end - at);
            multiplyBlock(worker, panel, block, now, x, xFrom + at * columns, y, yFrom + at * rows);
            at += now;
          }
        });
  }

  private static int roundUp(int tokens) {
    return (tokens + ROWS_OF_A_TASK - 1) / ROWS_OF_A_TASK * ROWS_OF_A_TASK;
  }

  /** All panels of all rows in the calling thread. */
  void multiplyBlocks(float[] x, int xFrom, int tokens, int most, float[] y, int yFrom) {
    for (int done = 0; done < tokens; ) {
      int block = RowBlocks.next(tokens - done, most);
      int count = Math.min(RowBlocks.size(block), tokens - done);
      for (Panel panel : panels) {
        multiplyBlock(0, panel, block, count, x, xFrom + done * columns, y, yFrom + done * rows);
      }
      done += count;
    }
  }

  /** Rows of the block beyond {@code count} hold whatever was there: rows are independent. */
  private void multiplyBlock(
      int worker, Panel panel, int block, int count, float[] x, int xAt, float[] y, int yAt) {
    OpenMp.oneThread();
    Staging stage = staging[worker];
    int width = panel.kernels().rows();
    long size = RowBlocks.size(block);
    stage.reserve(size * columns, size * width);
    stage.x().put(0, x, xAt, count * columns);
    panel.kernels().multiply(worker, block, stage, panel.weights());
    if (width == rows) {
      stage.y().get(0, y, yAt, count * rows);
      return;
    }
    for (int t = 0; t < count; t++) {
      stage.y().get((long) t * width, y, yAt + t * rows + panel.first(), width);
    }
  }

  @Override
  public void close() {
    for (Panel panel : panels) {
      panel.weights().close();
    }
  }
}

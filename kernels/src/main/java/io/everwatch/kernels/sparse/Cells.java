// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.sparse;

import io.everwatch.kernels.BlockGrid;
import io.everwatch.kernels.BlockMask;

/** A span's cells as they are chosen (4.5). Nothing wraps; what leaves the grid is dropped. */
final class Cells {
  private final BlockGrid grid;
  private final int width;
  private final int[] words;

  Cells(BlockGrid grid) {
    this.grid = grid;
    width = BlockMask.words(grid.blocks());
    words = new int[Math.multiplyExact(grid.rows(), width)];
  }

  /** Adds cell {@code row * nb + c}, rows counted from the span's first. */
  void add(int cell) {
    set(cell / grid.blocks(), cell % grid.blocks());
  }

  private void set(int row, int c) {
    if (c >= 0 && c <= grid.firstRow() + row) {
      words[row * width + c / 32] |= 1 << (c % 32);
    }
  }

  void addColumns(int[] columns) {
    for (int row = 0; row < grid.rows(); row++) {
      for (int c : columns) {
        set(row, c);
      }
    }
  }

  /** Adds block diagonals, 0 the main one. */
  void addOffsets(int[] offsets) {
    for (int row = 0; row < grid.rows(); row++) {
      for (int o : offsets) {
        set(row, grid.firstRow() + row - o);
      }
    }
  }

  void addLastRow() {
    for (int c = 0; c < grid.blocks(); c++) {
      set(grid.rows() - 1, c);
    }
  }

  /** Mass by key block that lies in the last row's choice. */
  double massOfLastRow(float[] columnMass) {
    int from = (grid.rows() - 1) * width;
    double mass = 0;
    for (int c = 0; c < grid.blocks(); c++) {
      if ((words[from + c / 32] >>> (c % 32) & 1) != 0) {
        mass += columnMass[c];
      }
    }
    return mass;
  }

  BlockMask mask() {
    return BlockMask.of(grid.rows(), grid.blocks(), words);
  }
}

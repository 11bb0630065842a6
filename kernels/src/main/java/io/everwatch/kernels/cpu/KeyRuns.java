// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cpu;

import io.everwatch.kernels.BlockGrid;
import io.everwatch.kernels.BlockMask;
import java.util.Arrays;

/**
 * The rows of a context that one row block sees, neighbouring key blocks as one run: rows {@code
 * [first[i], first[i] + count[i])}, ascending.
 *
 * @param total rows of all runs
 * @param diagonal whether the last rows are those of the queries themselves, of which each sees its
 *     own and those before; otherwise every query sees every row
 */
record KeyRuns(int[] first, int[] count, int total, boolean diagonal) {
  /** Of a row block, counted from the grid's first one. */
  static KeyRuns of(BlockMask mask, int row, BlockGrid grid) {
    int end = grid.contextRows() + grid.firstQuery(row + 1); // no query of the block sees more
    int[] first = new int[mask.count(row)];
    int[] count = new int[first.length];
    int runs = 0;
    int total = 0;
    for (int c = mask.next(row, 0); c >= 0; c = mask.next(row, c + 1)) {
      int from = c * grid.block();
      int rows = Math.min(grid.block(), end - from);
      if (runs > 0 && first[runs - 1] + count[runs - 1] == from) {
        count[runs - 1] += rows;
      } else {
        first[runs] = from;
        count[runs] = rows;
        runs++;
      }
      total += rows;
    }
    return new KeyRuns(
        Arrays.copyOf(first, runs),
        Arrays.copyOf(count, runs),
        total,
        mask.has(row, grid.firstRow() + row));
  }

  /** Rows that query {@code i} of {@code queries} sees, from the first. */
  int visible(int i, int queries) {
    return diagonal ? total - (queries - 1 - i) : total;
  }

  /** The row that is number {@code index} of all runs together. */
  int row(int index) {
    int run = 0;
    int before = 0;
    while (index - before >= count[run]) {
      before += count[run++];
    }
    return first[run] + index - before;
  }

  int runs() {
    return first.length;
  }
}

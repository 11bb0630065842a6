// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cpu;

/**
 * How many rows the library gets at once. A primitive is made for a fixed number of rows, so there
 * is one for each of a few sizes, and a batch is cut into them; each was shown to give a row the
 * same bits. One row alone is padded to two: the library has another kernel for it.
 */
final class RowBlocks {
  private static final int[] SIZES = {2, 4, 8, 16, 32, 64};

  /** Number of different sizes. */
  static final int COUNT = SIZES.length;

  /** Most rows in one block. */
  static final int LARGEST = SIZES[COUNT - 1];

  private RowBlocks() {}

  static int size(int index) {
    return SIZES[index];
  }

  /**
   * Index of the size for the next block of {@code remaining} rows: the largest that they fill, or
   * the next one up where at most a quarter of it stays empty.
   *
   * @param most index of the largest size to use
   */
  static int next(int remaining, int most) {
    int index = most;
    while (index > 0 && SIZES[index] > remaining) {
      index--;
    }
    boolean padded = index < most && remaining * 4 >= SIZES[index + 1] * 3;
    return padded ? index + 1 : index;
  }

  /** Index of the largest size that is at most {@code rows}, or of the smallest. */
  static int atMost(int rows) {
    int index = COUNT - 1;
    while (index > 0 && SIZES[index] > rows) {
      index--;
    }
    return index;
  }
}

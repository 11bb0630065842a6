// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cpu;

import java.util.Arrays;
import java.util.Random;

/** Tries whether a row's product is the same bit for bit in every block and at every place. */
final class BatchInvariance {
  private BatchInvariance() {}

  /** All sizes of blocks are compared, so nothing is left to chance but the values. */
  static boolean holds(OneDnnMatrix matrix) {
    int tokens = RowBlocks.LARGEST;
    int columns = matrix.columns();
    int rows = matrix.rows();
    float[] x = new float[tokens * columns];
    Random random = new Random(1);
    for (int i = 0; i < x.length; i++) {
      x[i] = (float) random.nextGaussian();
    }
    float[] expected = new float[tokens * rows];
    matrix.multiplyBlocks(x, 0, tokens, RowBlocks.COUNT - 1, expected, 0);
    float[] actual = new float[tokens * rows];
    for (int most = 0; most < RowBlocks.COUNT - 1; most++) {
      matrix.multiplyBlocks(x, 0, tokens, most, actual, 0);
      if (!Arrays.equals(expected, actual)) {
        return false;
      }
    }
    // Every row once more at another place of the largest block.
    float[] shifted = new float[x.length];
    int shift = columns * 7;
    System.arraycopy(x, shift, shifted, 0, x.length - shift);
    System.arraycopy(x, 0, shifted, x.length - shift, shift);
    matrix.multiplyBlocks(shifted, 0, tokens, RowBlocks.COUNT - 1, actual, 0);
    int moved = rows * 7;
    return Arrays.equals(expected, moved, expected.length, actual, 0, expected.length - moved)
        && Arrays.equals(expected, 0, moved, actual, expected.length - moved, expected.length);
  }
}

// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cpu;

import io.everwatch.kernels.Vector;

/** Checks of arguments, with messages that name the operation. */
final class Shapes {
  private Shapes() {}

  static long elements(String operation, int tokens, int width) {
    if (tokens < 0 || width < 0) {
      throw new IllegalArgumentException(
          "%s: %d tokens of width %d; expected sizes of zero or more"
              .formatted(operation, tokens, width));
    }
    return (long) tokens * width;
  }

  static float[] values(Vector vector, String operation, int length) {
    if (!(vector instanceof CpuVector mine)) {
      throw new IllegalArgumentException(
          "%s: vector %s is a %s; expected one of the cpu back end"
              .formatted(operation, vector.name(), vector.getClass().getName()));
    }
    if (mine.length() != length) {
      throw new IllegalArgumentException(
          "%s: vector %s has %d values, but the rows have width %d; is it of another layer?"
              .formatted(operation, mine.name(), mine.length(), length));
    }
    return mine.values();
  }

  static void rowsInside(String operation, String role, int[] rows, int width, long elements) {
    for (int row : rows) {
      if (row < 0 || (row + 1L) * width > elements) {
        throw new IllegalArgumentException(
            "%s: row %d of width %d lies outside %s of %d elements"
                .formatted(operation, row, width, role, elements));
      }
    }
  }
}

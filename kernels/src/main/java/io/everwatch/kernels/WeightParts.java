// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels;

import java.util.List;

/**
 * Reads stacked weights a few rows at a time, so that loading needs no second copy of a matrix. For
 * back ends.
 */
public final class WeightParts {
  private static final int PIECE_ELEMENTS = 1 << 20;

  /** Takes rows {@code [row, row + count)} of the stack. */
  public interface RowsConsumer {
    void accept(int row, int count, float[] values);
  }

  private WeightParts() {}

  /** Width of every part, higher dimensions flattened; refuses parts that do not stack. */
  public static int columns(String name, List<? extends TensorSource> parts) {
    if (parts.isEmpty()) {
      throw new IllegalArgumentException(
          "matrix %s has no parts; expected at least one tensor".formatted(name));
    }
    long columns = -1;
    for (TensorSource part : parts) {
      List<Long> shape = part.shape();
      if (shape.size() < 2 || part.elements() < 1) {
        throw new IllegalArgumentException(
            "matrix %s: tensor %s has shape %s; expected [rows, columns, ...] without a zero;"
                    .formatted(name, part.name(), shape)
                + " is it a bias or a gain?");
      }
      long width = part.elements() / shape.get(0);
      if (columns >= 0 && width != columns) {
        throw new IllegalArgumentException(
            "matrix %s: tensor %s has %d columns, the parts before it have %d; parts are stacked"
                    .formatted(name, part.name(), width, columns)
                + " along the rows, so all must have the same width");
      }
      columns = width;
    }
    return Math.toIntExact(columns);
  }

  /** Rows of the whole stack. */
  public static int rows(List<? extends TensorSource> parts) {
    long rows = 0;
    for (TensorSource part : parts) {
      rows += part.shape().get(0);
    }
    return Math.toIntExact(rows);
  }

  /** Hands all rows out in order, in pieces. The array is used again for the next piece. */
  public static void forEachPiece(
      List<? extends TensorSource> parts, int columns, RowsConsumer consumer) {
    int pieceRows = Math.max(1, PIECE_ELEMENTS / columns);
    float[] piece = new float[Math.multiplyExact(pieceRows, columns)];
    int row = 0;
    for (TensorSource part : parts) {
      int partRows = Math.toIntExact(part.shape().get(0));
      for (int first = 0; first < partRows; first += pieceRows) {
        int count = Math.min(pieceRows, partRows - first);
        part.read((long) first * columns, piece, 0, count * columns);
        consumer.accept(row, count, piece);
        row += count;
      }
    }
  }
}

// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.cache;

import java.util.ArrayList;
import java.util.List;

/**
 * A slice on its way through the policy, with the number of its leading rows that have K and V. A
 * memory's cached rows are a prefix, so each of its slices begins with its cached rows.
 */
record Piece(Slice slice, int cached) {
  static List<Piece> of(StreamMemory memory) {
    List<Piece> pieces = new ArrayList<>(memory.slices().size() + 1);
    int left = memory.cachedRows();
    for (Slice slice : memory.slices()) {
      int cached = Math.max(0, Math.min(left, slice.rows()));
      pieces.add(new Piece(slice, cached));
      left -= slice.rows();
    }
    if (left > 0) {
      throw new IllegalArgumentException(
          ("memory of %d rows says that %d of them are cached; the snapshot or the step "
                  + "that made it is wrong")
              .formatted(memory.rows(), memory.cachedRows()));
    }
    return pieces;
  }

  /**
   * The memory that {@code pieces} make, in this order.
   *
   * @throws IllegalStateException when a row with K and V would stand behind one without
   */
  static StreamMemory memory(List<Piece> pieces) {
    List<Slice> slices = new ArrayList<>(pieces.size());
    int cached = 0;
    int rows = 0;
    for (Piece piece : pieces) {
      if (piece.cached > 0 && cached < rows) {
        throw new IllegalStateException(
            ("row %d (%s of round %d) is cached, but row %d before it is not; expected "
                    + "rows without K and V at the end only; was the round before this one "
                    + "committed, and is the round number right?")
                .formatted(rows, piece.slice.kind(), piece.slice.round(), cached));
      }
      cached += piece.cached;
      rows += piece.rows();
      append(slices, piece.slice);
    }
    return new StreamMemory(slices, cached);
  }

  /** Merges with the slice before where the two are one run of one segment. */
  private static void append(List<Slice> slices, Slice next) {
    if (!slices.isEmpty()) {
      Slice last = slices.get(slices.size() - 1);
      if (last.segment().id() == next.segment().id()
          && last.to() == next.from()
          && last.kind() == next.kind()
          && last.round() == next.round()) {
        slices.set(
            slices.size() - 1,
            new Slice(last.segment(), last.from(), next.to(), last.kind(), last.round()));
        return;
      }
    }
    slices.add(next);
  }

  int rows() {
    return slice.rows();
  }

  int id(int row) {
    return slice.segment().ids()[slice.from() + row];
  }

  /** Rows {@code [from, to)} of this piece. */
  Piece rows(int from, int to) {
    return from == 0 && to == rows()
        ? this
        : new Piece(
            new Slice(
                slice.segment(),
                slice.from() + from,
                slice.from() + to,
                slice.kind(),
                slice.round()),
            Math.max(0, Math.min(cached - from, to - from)));
  }

  /** This piece as words of the text memory. */
  Piece asMemory() {
    return new Piece(
        new Slice(slice.segment(), slice.from(), slice.to(), SegmentKind.MEMORY, -1), cached);
  }
}

// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.engine;

import io.everwatch.operators.cache.Slice;
import io.everwatch.operators.cache.StreamMemory;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * What a stream is between two rounds. Immutable; the K and V of its cached rows lie elsewhere, in
 * this order (see {@link Session}).
 *
 * @param rounds rounds made so far; the number of the next
 * @param nextSegment id of the next segment
 */
record Committed(StreamMemory memory, long rounds, long nextSegment) {
  static final Committed NONE = new Committed(StreamMemory.EMPTY, 0, 0);

  /** Rows of the last answer, as it is remembered. */
  int answerRows() {
    List<Slice> slices = memory.slices();
    return slices.get(slices.size() - 1).rows();
  }

  /**
   * The slots of the cached rows of {@code memory}, whose rows are all among those of this one.
   *
   * @param slots of the cached rows of this memory, in order
   */
  int[] slotsOf(StreamMemory memory, int[] slots) {
    if (memory.slices().equals(this.memory.slices())) {
      return slots.clone();
    }
    Map<Long, int[]> places = places(slots);
    int[] out = new int[memory.cachedRows()];
    int at = 0;
    for (Slice slice : memory.slices()) {
      int rows = Math.min(slice.rows(), out.length - at);
      if (rows <= 0) {
        break;
      }
      int[] of = places.get(slice.segment().id());
      if (of == null) {
        throw new IllegalStateException(
            "segment %d of round %d is not in the committed memory, yet counts as cached"
                .formatted(slice.segment().id(), slice.round()));
      }
      System.arraycopy(of, slice.from(), out, at, rows);
      at += rows;
    }
    return out;
  }

  /** Slot of each row of each segment, by segment id; rows that are gone have -1. */
  private Map<Long, int[]> places(int[] slots) {
    Map<Long, int[]> places = new HashMap<>(memory.slices().size() * 2);
    int at = 0;
    for (Slice slice : memory.slices()) {
      int rows = Math.min(slice.rows(), slots.length - at);
      if (rows <= 0) {
        break;
      }
      int[] of =
          places.computeIfAbsent(
              slice.segment().id(),
              id -> {
                int[] none = new int[slice.segment().ids().length];
                Arrays.fill(none, -1);
                return none;
              });
      System.arraycopy(slots, at, of, slice.from(), rows);
      at += rows;
    }
    return places;
  }
}

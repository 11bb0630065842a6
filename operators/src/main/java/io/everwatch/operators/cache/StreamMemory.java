// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.cache;

import java.util.Arrays;
import java.util.List;

/**
 * An ordered list of slices: the context of one stream. Immutable.
 *
 * @param cachedRows leading rows whose K and V exist; the rest (one or two at the end of a turn)
 *     are computed with the next round (StreamingVLM §6.3)
 */
public record StreamMemory(List<Slice> slices, int cachedRows) {
  public static final StreamMemory EMPTY = new StreamMemory(List.of(), 0);

  public StreamMemory {
    slices = List.copyOf(slices);
  }

  public int rows() {
    return slices.stream().mapToInt(Slice::rows).sum();
  }

  /** Where native counting goes on: behind the newest segment, which is the last one always. */
  public double nativeEnd() {
    return slices.isEmpty() ? 0 : slices.get(slices.size() - 1).segment().end();
  }

  /** Token ids of all rows, in order. */
  public int[] ids() {
    int[] ids = new int[rows()];
    int at = 0;
    for (Slice slice : slices) {
      System.arraycopy(slice.segment().ids(), slice.from(), ids, at, slice.rows());
      at += slice.rows();
    }
    return ids;
  }

  /** Token ids of the text memory ({@link SegmentKind#MEMORY}), in order. */
  public int[] contextIds() {
    return slices.stream()
        .filter(slice -> slice.kind() == SegmentKind.MEMORY)
        .flatMapToInt(slice -> Arrays.stream(slice.segment().ids(), slice.from(), slice.to()))
        .toArray();
  }

  /** This memory with {@code more} behind it, not cached yet. */
  public StreamMemory append(List<Slice> more) {
    List<Slice> all = new java.util.ArrayList<>(slices);
    all.addAll(more);
    return new StreamMemory(all, cachedRows);
  }

  public StreamMemory withCachedRows(int rows) {
    return new StreamMemory(slices, rows);
  }
}

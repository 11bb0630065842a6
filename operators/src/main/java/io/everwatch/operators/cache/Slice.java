// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.cache;

/**
 * Rows {@code [from, to)} of a segment. {@code kind} and {@code round} say what they count as now:
 * words that were moved to the text memory are MEMORY of round -1 though their segment is
 * GENERATED.
 */
public record Slice(Segment segment, int from, int to, SegmentKind kind, long round) {
  public Slice {
    if (from < 0 || to <= from || to > segment.ids().length) {
      throw new IllegalArgumentException(
          "slice [%d, %d) of a segment of %d rows".formatted(from, to, segment.ids().length));
    }
  }

  public static Slice whole(Segment segment) {
    return new Slice(segment, 0, segment.ids().length, segment.kind(), segment.round());
  }

  public int rows() {
    return to - from;
  }
}

// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.cache;

import org.jspecify.annotations.Nullable;

/**
 * An immutable run of token ids that entered together. Rows are named by {@code (id, index)}; where
 * their K and V lie is the engine's business.
 *
 * @param id running number within the stream, never reused
 * @param round the round it entered with, -1 for the head
 * @param ids token ids; for VISION start, pads, end
 * @param grid of the pads; null unless VISION
 * @param start where native counting put its first row ({@link NativePositions}); NaN where the
 *     segment came from a snapshot, which does not hold it
 */
public record Segment(
    long id, SegmentKind kind, long round, int[] ids, @Nullable VideoGrid grid, double start) {
  /** One of which native counting knows nothing. */
  public Segment(long id, SegmentKind kind, long round, int[] ids, @Nullable VideoGrid grid) {
    this(id, kind, round, ids, grid, Double.NaN);
  }

  /** Where native counting puts the row behind it. */
  public double end() {
    return start + (grid == null ? ids.length : 1 + grid.extent() + 2); // two markers
  }
}

// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.cache;

/**
 * What the rows of a memory are of.
 *
 * @param vision clips with their markers
 * @param generated answers whose turns are in their places
 * @param context the text memory: the standing text, and words that have left their turns
 * @param rest headers and time markers
 */
public record RowCounts(int vision, int generated, int context, int rest) {
  public static RowCounts of(StreamMemory memory) {
    int vision = 0;
    int generated = 0;
    int context = 0;
    int all = 0;
    for (Slice slice : memory.slices()) {
      int rows = slice.rows();
      all += rows;
      switch (slice.kind()) {
        case VISION -> vision += rows;
        case GENERATED -> generated += rows;
        case MEMORY -> context += rows;
        case SYSTEM,
            MEMORY_OPEN,
            MEMORY_CLOSE,
            USER_OPEN,
            MARKER,
            QUERY,
            USER_CLOSE,
            ASSISTANT_OPEN,
            ASSISTANT_CLOSE -> {}
      }
    }
    return new RowCounts(vision, generated, context, all - vision - generated - context);
  }

  public int all() {
    return vision + generated + context + rest;
  }
}

// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.engine;

import io.everwatch.operators.cache.SegmentKind;
import io.everwatch.operators.cache.Slice;
import io.everwatch.operators.cache.StreamMemory;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * What the slices of a memory say, in text: from it a model with another vocabulary makes ids of
 * its own. Only of what was said or depends on the chunk; the rest is the grammar's.
 *
 * @param texts one per slice, empty where the grammar knows; no text at all: not known
 */
record Transcript(List<String> texts) {
  /** Of a snapshot in a layout that had none. */
  static final Transcript UNKNOWN = new Transcript(List.of());

  /** A character of which a cut left a part. */
  private static final String BROKEN = "\uFFFD";

  Transcript {
    texts = List.copyOf(texts);
  }

  static Transcript of(StreamMemory memory, TurnEnding ending, Words words) {
    List<String> texts = new ArrayList<>(memory.slices().size());
    for (Slice slice : memory.slices()) {
      int[] ids = Arrays.copyOfRange(slice.segment().ids(), slice.from(), slice.to());
      texts.add(
          switch (slice.kind()) {
            case GENERATED -> ending.text(ids);
            case MARKER -> words.decode(ids);
            case MEMORY -> isSaid(slice) ? whole(words.decode(ids)) : "";
            case SYSTEM,
                MEMORY_OPEN,
                MEMORY_CLOSE,
                USER_OPEN,
                VISION,
                QUERY,
                USER_CLOSE,
                ASSISTANT_OPEN,
                ASSISTANT_CLOSE ->
                "";
          });
    }
    return new Transcript(texts);
  }

  /** Whether it is of this memory. */
  boolean covers(StreamMemory memory) {
    return texts.size() == memory.slices().size();
  }

  /** Whether a slice of {@code previous text} was said once; else it is the standing text. */
  static boolean isSaid(Slice slice) {
    return slice.segment().kind() == SegmentKind.GENERATED;
  }

  /** Without the parts of characters that the cut of {@code previous text} left at its edges. */
  private static String whole(String text) {
    int from = text.startsWith(BROKEN) ? 1 : 0;
    int to = text.length() - (text.endsWith(BROKEN) ? 1 : 0);
    return from < to ? text.substring(from, to) : "";
  }
}

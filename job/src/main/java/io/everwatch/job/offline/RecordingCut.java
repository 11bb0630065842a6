// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.offline;

import java.util.OptionalLong;

/**
 * Which chunks of a recording are looked at: the first {@code sink} and the last {@code window}, as
 * of the text that a stream remembers. Decided before anything is computed; what lies between costs
 * nothing.
 *
 * @param chunks of the recording
 */
record RecordingCut(long chunks, long sink, long window) {
  /** More than any recording has. */
  static final long ALL = Long.MAX_VALUE >> 1;

  RecordingCut {
    if (chunks < 1 || sink < 0 || window < 1) {
      throw new IllegalArgumentException(
          "%d chunks, of which the first %d and the last %d are looked at; expected a recording that is not empty, and a part of it"
              .formatted(chunks, sink, window));
    }
    sink = Math.min(sink, ALL);
    window = Math.min(window, ALL);
  }

  /** Whether anything is left out. */
  boolean cuts() {
    return chunks > sink + window;
  }

  /** The first chunk that is left out. */
  OptionalLong leftOutFrom() {
    return cuts() ? OptionalLong.of(sink) : OptionalLong.empty();
  }

  /** The first chunk behind those that are left out. */
  OptionalLong leftOutTo() {
    return cuts() ? OptionalLong.of(chunks - window) : OptionalLong.empty();
  }

  boolean keeps(long chunk) {
    return !cuts() || chunk < sink || chunk >= chunks - window;
  }

  /** Chunks that are looked at. */
  long kept() {
    return cuts() ? sink + window : chunks;
  }
}

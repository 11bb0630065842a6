// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.wall;

import io.everwatch.schemas.EventHeaders;
import io.everwatch.schemas.ReceivedText;
import io.everwatch.schemas.avro.MemoryFigures;
import io.everwatch.schemas.avro.TextEvent;
import org.jspecify.annotations.Nullable;

/**
 * A text event as the wall keeps it.
 *
 * @param folded the text for searching ({@link Folding}); null when there are no words
 * @param lagMillis arrival of the last frame until the text was written; {@link
 *     EventHeaders#ABSENT} where there is none
 * @param startedMillis when the attempt that wrote it was started; absent in old events
 * @param seenMillis when it came: of the past, when it was written
 * @param digest of its content, to tell a repetition from other bytes
 * @param changed an event of the same identity came before, with other bytes
 */
record Said(
    TextEvent event,
    @Nullable String folded,
    long lagMillis,
    long startedMillis,
    long seenMillis,
    int digest,
    boolean changed) {
  /** Objects of an event without its words, roughly. */
  private static final int BASE_BYTES = 1_000;

  /**
   * Keeps an event.
   *
   * @param seenMillis when it counts as having come
   */
  static Said of(ReceivedText received, long seenMillis) {
    TextEvent event = received.event();
    EventHeaders headers = received.headers();
    long written = received.writtenMillis();
    long arrival = headers.arrivalMillis();
    return new Said(
        event,
        event.getText().isEmpty() ? null : Folding.fold(event.getText()),
        arrival == EventHeaders.ABSENT ? EventHeaders.ABSENT : Math.max(0, written - arrival),
        headers.startedMillis(),
        seenMillis,
        event.hashCode(),
        received.changed());
  }

  Said withChange() {
    return new Said(event, folded, lagMillis, startedMillis, seenMillis, digest, true);
  }

  String stream() {
    return event.getStreamId();
  }

  /** Whether the identity is the same, whatever the bytes. */
  boolean sameAs(Said other) {
    return stream().equals(other.stream()) && identity().equals(other.identity());
  }

  Identity identity() {
    return new Identity(event.getBeganMicros(), event.getChunk(), event.getSubject());
  }

  /** What it takes of the heap, roughly. */
  int bytes() {
    MemoryFigures memory = event.getMemory();
    int words = memory == null ? 0 : length(memory.getSink()) + length(memory.getWindow());
    return BASE_BYTES + 2 * event.getText().length() + length(folded) + words;
  }

  private static int length(@Nullable String text) {
    return text == null ? 0 : text.length();
  }

  /** Of an event within its stream; decides what is shown once. */
  record Identity(long life, long chunk, String subject) {}
}

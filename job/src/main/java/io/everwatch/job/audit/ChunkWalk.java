// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.audit;

import io.everwatch.job.audit.StreamAudit.Sink;
import io.everwatch.job.audit.Violation.Kind;
import io.everwatch.schemas.avro.TextEvent;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Where a stream stands in its chunks, and whether an event fits there: the next chunk, and an
 * interval that begins where the one before ended.
 */
final class ChunkWalk {
  private final Sink sink;
  private final Totals totals;

  /** The stream's events begin with chunk 0; otherwise the oldest ones may be gone. */
  private final boolean fromStart;

  private long firstChunk = -1;
  private long nextChunk = -1;
  private @Nullable Long endMicros;
  private Optional<Long> chunkMicros = Optional.empty();

  ChunkWalk(boolean fromStart, Sink sink, Totals totals) {
    this.fromStart = fromStart;
    this.sink = sink;
    this.totals = totals;
  }

  /** Another life of the stream. */
  void beginAnew() {
    nextChunk = 0;
    endMicros = null;
  }

  /** First chunk that is still kept; -1: none was seen. */
  long firstChunk() {
    return firstChunk;
  }

  /** First chunk without an event. */
  long nextChunk() {
    return nextChunk;
  }

  /** An event of a chunk or of a run of them; false: it came before and counts for nothing. */
  boolean accepts(StoredText text) {
    long chunk = text.event().getChunk();
    if (nextChunk < 0) {
      firstChunk = chunk;
      nextChunk = fromStart ? 0 : chunk;
    }
    if (chunk < nextChunk) {
      sink.violation(
          Kind.OUT_OF_ORDER,
          text,
          "chunk %d after chunk %d; expected chunk %d".formatted(chunk, nextChunk - 1, nextChunk));
      return false;
    }
    if (chunk > nextChunk) {
      sink.violation(
          Kind.HOLE,
          text,
          "no event for chunks %d to %d; expected an event or a GAP for each"
              .formatted(nextChunk, chunk - 1));
      totals.holes(chunk - nextChunk);
    }
    interval(text);
    long last = Math.max(chunk, EventRules.lastChunk(text.event()));
    totals.chunks(text.event().getKind(), last - chunk + 1);
    nextChunk = last + 1;
    endMicros = text.event().getEndMicros();
    return true;
  }

  private void interval(StoredText text) {
    TextEvent event = text.event();
    long chunks = Math.max(1, EventRules.lastChunk(event) - event.getChunk() + 1);
    long length = event.getEndMicros() - event.getStartMicros();
    if (chunkMicros.isEmpty() && length > 0 && length % chunks == 0) {
      chunkMicros = Optional.of(length / chunks);
    }
    long one = chunkMicros.orElse(0L);
    if (length <= 0 || length != chunks * one) {
      sink.violation(
          Kind.INTERVAL,
          text,
          "[%d, %d) us of %d chunk(s); expected a length of %d us"
              .formatted(event.getStartMicros(), event.getEndMicros(), chunks, chunks * one));
    }
    Long before = endMicros;
    if (before == null || event.getClockReset()) {
      return;
    }
    long expected = before + (event.getChunk() - nextChunk) * one;
    if (event.getStartMicros() != expected) {
      sink.violation(
          Kind.INTERVAL,
          text,
          "begins at %d us; expected %d us, where the chunks before end, or a clock reset"
              .formatted(event.getStartMicros(), expected));
    }
  }

  /** The silence of a stream: before a chunk that is still to come. */
  void stale(StoredText text) {
    TextEvent event = text.event();
    if (event.getFrames().getReceived() != 0) {
      sink.violation(
          Kind.COUNTS,
          text,
          "a STALE that tells of %d frames; expected none"
              .formatted(event.getFrames().getReceived()));
    }
    if (event.getChunk() < nextChunk) {
      sink.violation(
          Kind.OUT_OF_ORDER,
          text,
          "silent before chunk %d, which came; expected %d or later"
              .formatted(event.getChunk(), nextChunk));
    }
    if (event.getStartMicros() != event.getEndMicros()) {
      sink.violation(
          Kind.INTERVAL,
          text,
          "silent since [%d, %d) us; expected twice the newest capture time"
              .formatted(event.getStartMicros(), event.getEndMicros()));
    }
  }

  /** The end of the stream: after the last chunk. */
  void end(StoredText text) {
    TextEvent event = text.event();
    long expected = nextChunk < 0 ? (fromStart ? 0 : event.getChunk()) : nextChunk;
    if (event.getChunk() > expected) {
      sink.violation(
          Kind.HOLE,
          text,
          "ended before chunk %d, no event for chunks %d to %d; expected an event or a GAP for each"
              .formatted(event.getChunk(), expected, event.getChunk() - 1));
    } else if (event.getChunk() < expected) {
      sink.violation(
          Kind.OUT_OF_ORDER,
          text,
          "ended before chunk %d, which came; expected %d".formatted(event.getChunk(), expected));
    }
    Long before = endMicros;
    if (event.getStartMicros() != event.getEndMicros()
        || (before != null && event.getEndMicros() != before)) {
      sink.violation(
          Kind.INTERVAL,
          text,
          "ended at [%d, %d) us; expected twice %s"
              .formatted(
                  event.getStartMicros(),
                  event.getEndMicros(),
                  before == null ? "the same" : before + " us, the end of the last chunk"));
    }
    nextChunk = event.getChunk();
    endMicros = event.getEndMicros();
  }
}

// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.audit;

import io.everwatch.job.audit.Violation.Kind;
import io.everwatch.schemas.avro.FrameCounts;
import io.everwatch.schemas.avro.SourceRange;
import io.everwatch.schemas.avro.TextEvent;
import io.everwatch.schemas.avro.TextKind;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The committed events of one stream, in the order of its partition: a walk over its chunks. After
 * a violation it goes on from the event that showed it, so that one fault is reported once.
 */
final class StreamAudit {
  /** Where the violations of a stream go. */
  interface Sink {
    void violation(Kind kind, StoredText at, String detail);
  }

  /** Pictures of one chunk that the dead-letter topic must hold. */
  record Claim(long frames, StoredText at) {
    Claim and(Claim other) {
      return new Claim(frames + other.frames, other.at);
    }
  }

  private final boolean repeatsAllowed;
  private final Sink sink;
  private final RecentEvents recent = new RecentEvents();
  private final List<Life> lives = new ArrayList<>();
  private final Map<Long, Claim> claims = new HashMap<>();
  private final Totals totals = new Totals();

  /** The stream's events begin with chunk 0; otherwise the oldest ones may be gone. */
  private final boolean fromStart;

  private int partition = -1;
  private long firstChunk = -1;
  private long nextChunk = -1;
  private @Nullable Long endMicros;
  private long beganMicros;
  private Optional<Long> chunkMicros = Optional.empty();
  private final GridPoints points = new GridPoints();
  private @Nullable TextEvent end;

  StreamAudit(boolean fromStart, boolean repeatsAllowed, Sink sink) {
    this.fromStart = fromStart;
    this.repeatsAllowed = repeatsAllowed;
    this.sink = sink;
  }

  void accept(StoredText text) {
    if (partition >= 0 && partition != text.partition()) {
      sink.violation(
          Kind.MOVED,
          text,
          "the stream's events before lie in partition %d; expected all in one; was the number of"
                  .formatted(partition)
              + " partitions changed?");
    }
    partition = text.partition();
    TextEvent event = text.event();
    if (end != null && beginsAnew(event, end)) {
      recent.clear();
      end = null;
      nextChunk = 0;
      endMicros = null;
      beganMicros = 0;
      points.beginAnew();
    }
    Optional<RecentEvents.Seen> before = recent.putIfNew(text);
    if (before.isPresent()) {
      repeated(text, before.get());
      return;
    }
    points.heard(event);
    if (end != null && !frameless(event)) {
      sink.violation(
          Kind.AFTER_END,
          text,
          "the stream's life that began at %d us ended before%s; expected nothing more, or a new"
                  .formatted(
                      end.getBeganMicros(),
                      end.getSources().stream()
                          .map(
                              source ->
                                  ", with the record at offset %d of %s partition %d"
                                      .formatted(
                                          source.getFirstOffset(),
                                          source.getTopic(),
                                          source.getPartition()))
                          .findFirst()
                          .orElse(""))
              + " life from later records");
      return;
    }
    EventRules.fields(event).forEach(detail -> sink.violation(Kind.FIELDS, text, detail));
    sameLife(text);
    if (EventRules.explains(event)) {
      explained(text);
    } else if (frameless(event)) {
      return;
    } else if (event.getKind() == TextKind.STALE) {
      stale(text);
    } else if (event.getKind() == TextKind.ENDED) {
      ended(text);
    }
  }

  /** A life has one name from its first frame on. */
  private void sameLife(StoredText text) {
    long began = text.event().getBeganMicros();
    if (frameless(text.event())) {
      return;
    }
    if (beganMicros != 0 && began != beganMicros) { // 0: written by a release that named none
      sink.violation(
          Kind.FIELDS,
          text,
          "of the life that began at %d us; expected %d us as before, or the end of that one first"
              .formatted(began, beganMicros));
    }
    beganMicros = began;
  }

  /**
   * An event of a stream that has no frame yet, made by a command and perhaps forgotten, or the
   * answer to a command that comes too late: it is no part of the walk over the chunks.
   */
  private static boolean frameless(TextEvent event) {
    return event.getKind() == TextKind.NOTICE
        || (event.getBeganMicros() == 0
            && event.getSources().isEmpty()
            && (event.getKind() == TextKind.STALE || event.getKind() == TextKind.ENDED));
  }

  /**
   * Whether the event is of another life than the one that ended: by its name, or by records after
   * that end when both lives have the same name.
   */
  static boolean beginsAnew(TextEvent event, TextEvent ended) {
    if (frameless(event)) {
      return false;
    }
    if (event.getBeganMicros() != ended.getBeganMicros()) {
      return true;
    }
    boolean explains = EventRules.explains(event); // a gap that names records has frames too
    if (event.getSources().isEmpty()
        || ended.getSources().isEmpty()
        || !(explains || event.getKind() == TextKind.ENDED)) {
      return false;
    }
    SourceRange end = ended.getSources().get(0);
    SourceRange source = event.getSources().get(0);
    boolean samePlace =
        source.getTopic().equals(end.getTopic()) && source.getPartition() == end.getPartition();
    return samePlace ? source.getFirstOffset() > end.getLastOffset() : event.getChunk() == 0;
  }

  private void repeated(StoredText text, RecentEvents.Seen before) {
    boolean same = before.sameBytes(text);
    if (same && repeatsAllowed) {
      return;
    }
    sink.violation(
        same ? Kind.REPEATED : Kind.CHANGED,
        text,
        "%s with subject '%s' stands at partition %d offset %d already, with %s bytes; expected it"
                .formatted(
                    text.event().getKind(),
                    text.event().getSubject(),
                    before.partition(),
                    before.offset(),
                    same ? "the same" : "other")
            + " once");
  }

  private void explained(StoredText text) {
    TextEvent event = text.event();
    if (!inOrder(text)) {
      return;
    }
    interval(text);
    EventRules.counts(event, points).forEach(detail -> sink.violation(Kind.COUNTS, text, detail));
    long chunk = event.getChunk();
    long last = Math.max(chunk, EventRules.lastChunk(event));
    nextChunk = last + 1;
    endMicros = event.getEndMicros();
    book(text);
    totals.chunks(event.getKind(), last - chunk + 1);
  }

  /** The silence of a stream: before a chunk that is still to come. */
  private void stale(StoredText text) {
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

  private boolean inOrder(StoredText text) {
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

  private void ended(StoredText text) {
    TextEvent event = text.event();
    EventRules.counts(event, points).forEach(detail -> sink.violation(Kind.COUNTS, text, detail));
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
    end = event;
    boolean forgotten = !event.getText().isEmpty(); // and its source is the last frame, if known
    if (event.getSources().size() == 1 || (forgotten && event.getSources().isEmpty())) {
      book(text);
      Optional<Life> life = life();
      event.getSources().forEach(source -> life.ifPresent(one -> one.end(source.getFirstOffset())));
      if (forgotten) {
        life.ifPresent(Life::forget);
      }
    } else {
      sink.violation(
          Kind.FIELDS,
          text,
          "ENDED with %d sources and %s; expected the end-of-stream record, or why it ended without"
              .formatted(
                  event.getSources().size(), event.getText().isEmpty() ? "no text" : "a text"));
      life().ifPresent(life -> book(text));
    }
    nextChunk = event.getChunk();
    endMicros = event.getEndMicros();
  }

  /** Adds the event's counts to its life and to the stream. */
  private void book(StoredText text) {
    TextEvent event = text.event();
    FrameCounts counts = event.getFrames();
    if (life().isEmpty() && !event.getSources().isEmpty()) {
      boolean ending = event.getKind() == TextKind.ENDED;
      lives.add(new Life(text, event.getSources().get(0), event.getChunk() == 0 && !ending));
    }
    life().ifPresent(life -> life.book(text));
    long dead = EventRules.deadLettered(event);
    if (dead > 0) {
      claims.merge(event.getChunk(), new Claim(dead, text), Claim::and);
    }
    totals.frames(counts, dead, EventRules.skippedFrames(event));
  }

  private Optional<Life> life() {
    return lives.isEmpty() || lives.get(lives.size() - 1).ended()
        ? Optional.empty()
        : Optional.of(lives.get(lives.size() - 1));
  }

  List<Life> lives() {
    return lives;
  }

  Map<Long, Claim> claims() {
    return claims;
  }

  Totals totals() {
    return totals;
  }

  /** First chunk that is still kept; -1: none was seen. */
  long firstChunk() {
    return firstChunk;
  }

  /** First chunk without an event. */
  long nextChunk() {
    return nextChunk;
  }

  boolean ended() {
    return end != null;
  }
}

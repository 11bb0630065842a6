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
  private final ChunkWalk walk;

  private int partition = -1;
  private long beganMicros;
  private final GridPoints points = new GridPoints();
  private final MergedWalk merged = new MergedWalk();
  private final MemoryWalk memory = new MemoryWalk();
  private @Nullable TextEvent end;

  StreamAudit(boolean fromStart, boolean repeatsAllowed, Sink sink) {
    this.repeatsAllowed = repeatsAllowed;
    this.sink = sink;
    walk = new ChunkWalk(fromStart, sink, totals);
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
      walk.beginAnew();
      beganMicros = 0;
      points.beginAnew();
      merged.beginAnew();
      memory.beginAnew();
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
      walk.stale(text);
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
    if (!walk.accepts(text)) {
      return;
    }
    EventRules.counts(event, points).forEach(detail -> sink.violation(Kind.COUNTS, text, detail));
    merged.problems(event).forEach(detail -> sink.violation(Kind.FIELDS, text, detail));
    memory.problems(event).forEach(detail -> sink.violation(Kind.MEMORY, text, detail));
    book(text);
  }

  private void ended(StoredText text) {
    TextEvent event = text.event();
    EventRules.counts(event, points).forEach(detail -> sink.violation(Kind.COUNTS, text, detail));
    walk.end(text);
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
    return walk.firstChunk();
  }

  /** First chunk without an event. */
  long nextChunk() {
    return walk.nextChunk();
  }

  boolean ended() {
    return end != null;
  }
}

// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.wall;

import io.everwatch.schemas.EventHeaders;
import io.everwatch.schemas.avro.TextEvent;
import io.everwatch.schemas.avro.TextKind;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** What the topics told of one stream. Guarded by its {@link Wall}. */
final class KnownStream {
  /** Two chunks and what the network may take: no text for longer is worth a word. */
  private static final long TEXT_MILLIS = 5_000;

  private static final long FRAME_MILLIS = 10_000;

  final String id;

  /** In the order in which they came; the oldest first. */
  private final Deque<Said> events = new ArrayDeque<>();

  private final Map<Said.Identity, Said> byIdentity = new HashMap<>();
  private @Nullable Said newest;
  private @Nullable Said comment;
  private @Nullable Frame frame;
  private StreamState state = StreamState.WAITING;
  private long since;
  private long textMillis;
  private boolean ended;
  private boolean silent;
  private long lagMillis = EventHeaders.ABSENT;
  private long startedMillis = EventHeaders.ABSENT;
  private long restartedMillis = EventHeaders.ABSENT;
  private int restarts;
  private long committedLife;
  private long committedChunk = -1;

  KnownStream(String id, long nowMillis) {
    this.id = id;
    this.since = nowMillis;
  }

  Optional<Said> kept(Said.Identity identity) {
    return Optional.ofNullable(byIdentity.get(identity));
  }

  /** An event that is news; in the place of the one of its identity, if there is one. */
  void add(Said said) {
    Said before = byIdentity.put(said.identity(), said);
    if (before == null) {
      events.add(said);
    } else {
      List<Said> all = new ArrayList<>(events);
      all.replaceAll(one -> one.sameAs(said) ? said : one);
      events.clear();
      events.addAll(all);
    }
    TextEvent event = said.event();
    textMillis = Math.max(textMillis, said.seenMillis());
    ended = event.getKind() == TextKind.ENDED;
    silent = event.getKind() == TextKind.STALE;
    if (event.getSubject().isEmpty() && !older(event, newest)) {
      newest = said;
      if (event.getKind() == TextKind.COMMENT) {
        comment = said;
      }
    }
    if (said.lagMillis() != EventHeaders.ABSENT) {
      lagMillis = said.lagMillis();
    }
  }

  /** When a later attempt of the job speaks than before, its start; else absent. */
  long restartSeenIn(Said said) {
    long started = said.startedMillis();
    if (started == EventHeaders.ABSENT || started <= startedMillis) {
      return EventHeaders.ABSENT;
    }
    boolean first = startedMillis == EventHeaders.ABSENT;
    startedMillis = started;
    if (first) {
      return EventHeaders.ABSENT;
    }
    restarts++;
    restartedMillis = started;
    return started;
  }

  private static boolean older(TextEvent event, @Nullable Said than) {
    return than != null
        && event.getBeganMicros() == than.event().getBeganMicros()
        && event.getChunk() < than.event().getChunk();
  }

  /** Forgets the oldest event; what the stream is doing stays known. */
  void forgetOldest() {
    Said oldest = events.pollFirst();
    if (oldest != null) {
      byIdentity.remove(oldest.identity());
    }
  }

  /** True when it says something new. */
  boolean commit(TextEvent event) {
    if (event.getBeganMicros() < committedLife
        || (event.getBeganMicros() == committedLife && event.getChunk() <= committedChunk)) {
      return false;
    }
    committedLife = event.getBeganMicros();
    committedChunk = event.getChunk();
    return true;
  }

  void show(Frame next) {
    frame = next;
    ended = false;
  }

  /**
   * Looks at the clock.
   *
   * @return whether the state is another than before
   */
  boolean refresh(long nowMillis) {
    StreamState now = stateAt(nowMillis);
    if (now == state) {
      return false;
    }
    state = now;
    since = nowMillis;
    return true;
  }

  private StreamState stateAt(long nowMillis) {
    if (ended) {
      return StreamState.ENDED;
    }
    boolean speaks = nowMillis - textMillis <= TEXT_MILLIS;
    boolean sends = frame != null && nowMillis - frame.arrivalMillis() <= FRAME_MILLIS;
    if (stopped() && !silent) {
      return StreamState.STOPPED;
    }
    if (speaks && !silent) {
      return StreamState.LIVE;
    }
    return sends ? StreamState.WAITING : StreamState.SILENT;
  }

  private boolean stopped() {
    return newest != null
        && newest.event().getSkipped() != null
        && newest.event().getSkipped().getReason().startsWith("stopped");
  }

  /** Whether nothing is kept of it and nothing is to be expected. */
  boolean forgettable(long nowMillis, long historyMillis) {
    return events.isEmpty()
        && (state == StreamState.ENDED
            || (state == StreamState.SILENT && nowMillis - since > historyMillis));
  }

  Deque<Said> events() {
    return events;
  }

  StreamState state() {
    return state;
  }

  long committedLife() {
    return committedLife;
  }

  long committedChunk() {
    return committedChunk;
  }

  StreamView view() {
    long life = newest == null ? 0 : newest.event().getBeganMicros();
    return new StreamView(
        id,
        life,
        state,
        since,
        newest,
        comment,
        lagMillis,
        frame,
        restarts,
        restartedMillis,
        life == committedLife ? committedChunk : -1);
  }
}

// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.flink;

import io.everwatch.operators.engine.LogContext;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.flink.api.common.operators.ProcessingTimeService;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Streams of which no record comes (docs/adr/0007): told once, put to sleep in state, forgotten.
 * None of it can touch a stream that goes on: it concerns streams that have no turn waiting or
 * under way, and only while this subtask has caught up with its records.
 *
 * <p>One {@link #look} every {@link #periodMillis} goes over one number per stream of the subtask,
 * those included that are only in state.
 */
final class SilentStreams {
  private static final Logger LOG = LoggerFactory.getLogger(SilentStreams.class);

  /** A stream that is silent for so long leaves heap and engine, not state. */
  static final long SLEEP_MILLIS = Duration.ofMinutes(5).toMillis();

  /**
   * So long a subtask must have been open and without backlog before it forgets: records that are
   * there have come by then.
   */
  static final long SETTLE_MILLIS = Duration.ofMinutes(10).toMillis();

  private static final long MIN_PERIOD_MILLIS = 100;
  private static final long MAX_PERIOD_MILLIS = Duration.ofMinutes(1).toMillis();

  /** A stream that is only in state; {@code told}: its silence was. */
  private record Asleep(long seenMillis, boolean told) {}

  private final StreamTable streams;
  private final StreamStore store;
  private final SnapshotWriter snapshots;
  private final TurnMaker turns;
  private final TurnQueues queues;
  private final Rounds rounds;
  private final EventBuilder events;
  private final Outlet outlet;
  private final ProcessingTimeService clock;
  private final long staleMillis;
  private final long forgetMillis;
  private final long oldMillis;
  private final int maxInFlight;

  private final Map<StreamKey, Asleep> asleep = new HashMap<>();
  private long behindMillis;
  private int silent;

  SilentStreams(
      StreamTable streams,
      StreamStore store,
      SnapshotWriter snapshots,
      TurnMaker turns,
      TurnQueues queues,
      Rounds rounds,
      EventBuilder events,
      Outlet outlet,
      ProcessingTimeService clock,
      UnderstandSettings settings) {
    this.streams = streams;
    this.store = store;
    this.snapshots = snapshots;
    this.turns = turns;
    this.queues = queues;
    this.rounds = rounds;
    this.events = events;
    this.outlet = outlet;
    this.clock = clock;
    staleMillis = settings.staleAfter().toMillis();
    forgetMillis = settings.forgetAfter().toMillis();
    maxInFlight = settings.limits().inFlight();
    // A stream seems silent for longer than it is by as much as the lag has changed meanwhile.
    oldMillis = shortest(Long.MAX_VALUE) / 2;
  }

  /** The streams of the restored state that have nothing waiting; called once, after open. */
  void restored(List<StreamKey> keys) throws Exception {
    long now = clock.getCurrentProcessingTime();
    behindMillis = now;
    for (StreamKey key : keys) {
      if (streams.known(key).isEmpty()) {
        store.stream(key).ifPresent(stored -> asleep.put(key, asleep(stored, now)));
      }
    }
  }

  private static Asleep asleep(StoredStream stored, long now) {
    boolean known = stored.seenMillis() > 0 && stored.seenMillis() < now;
    return new Asleep(
        known ? stored.seenMillis() : now,
        stored.staleChunk() == stored.assembler().progress().nextChunk());
  }

  /** A record of the stream has come. */
  void heard(StreamState stream, FrameRecord record) {
    long now = clock.getCurrentProcessingTime();
    stream.seenMillis = now;
    asleep.remove(stream.key);
    if (now - record.arrivalMillis() > oldMillis) {
      behindMillis = now;
    }
  }

  /** How often to {@link #look}. */
  long periodMillis() {
    return Math.max(MIN_PERIOD_MILLIS, shortest(4 * MAX_PERIOD_MILLIS) / 4);
  }

  private long shortest(long atMost) {
    long shortest = atMost;
    for (long millis : new long[] {staleMillis, forgetMillis}) {
      shortest = millis > 0 ? Math.min(shortest, millis) : shortest;
    }
    return shortest;
  }

  /** Streams that are silent for longer than {@code staleAfter}. */
  int silent() {
    return silent;
  }

  /** Streams that are only in state. */
  int asleep() {
    return asleep.size();
  }

  /**
   * Does what is due.
   *
   * @param recordsWait the operator has a record that it cannot take yet
   */
  void look(boolean recordsWait) throws Exception {
    long now = clock.getCurrentProcessingTime();
    if (recordsWait) {
      behindMillis = now;
    }
    int found = 0;
    for (StreamState stream : streams.all()) {
      if (stream.quiet()) {
        found += awake(stream, now) ? 1 : 0;
      }
    }
    for (Map.Entry<StreamKey, Asleep> entry : List.copyOf(asleep.entrySet())) {
      found += asleep(entry.getKey(), entry.getValue(), now) ? 1 : 0;
    }
    silent = found;
  }

  /** Whether the stream is silent. */
  private boolean awake(StreamState stream, long now) throws Exception {
    if (toForget(stream.seenMillis, now)) {
      forget(stream);
      return false;
    }
    boolean stale = stale(stream.seenMillis, now);
    if (stale && !told(stream)) {
      tell(stream, now);
      streams.changed(stream);
    }
    if (caughtUpSilence(stream.seenMillis, now) >= SLEEP_MILLIS) {
      sleep(stream);
    }
    return stale;
  }

  private boolean asleep(StreamKey key, Asleep one, long now) throws Exception {
    if (toForget(one.seenMillis, now)) {
      asleep.remove(key);
      var stream = streams.wake(key);
      if (stream.isPresent()) {
        forget(stream.get());
      }
      return false;
    }
    boolean stale = stale(one.seenMillis, now);
    if (stale && !one.told) {
      var stream = streams.stored(key);
      if (stream.isPresent()) {
        tell(stream.get(), now);
        store.save(stream.get());
      }
      asleep.put(key, new Asleep(one.seenMillis, true));
    }
    return stale;
  }

  /** Since when nothing came though it would have been read, milliseconds. */
  private long caughtUpSilence(long seenMillis, long now) {
    return now - Math.max(seenMillis, behindMillis);
  }

  private boolean stale(long seenMillis, long now) {
    return staleMillis > 0 && caughtUpSilence(seenMillis, now) >= staleMillis;
  }

  private boolean toForget(long seenMillis, long now) {
    return forgetMillis > 0
        && now - seenMillis >= forgetMillis
        && now - behindMillis >= Math.min(forgetMillis, SETTLE_MILLIS)
        && queues.inFlight() < maxInFlight;
  }

  private static boolean told(StreamState stream) {
    return stream.staleChunk == stream.assembler.nextChunk();
  }

  private void tell(StreamState stream, long now) {
    stream.staleChunk = stream.assembler.nextChunk();
    String text = "no record for " + words(staleMillis);
    outlet.text(events.stale(stream, text, now), Turn.NO_TIMESTAMP);
  }

  /** Ends it as an end-of-stream record does. */
  private void forget(StreamState stream) throws Exception {
    String reason = "no record for " + words(forgetMillis);
    try (var context = LogContext.of(stream.key.streamId(), stream.assembler.nextChunk())) {
      LOG.info(
          "stream {} ends: {}; what comes under this name begins a new life; keep streams for"
              + " longer with forget-after",
          stream.key.streamId(),
          reason);
    }
    for (Turn turn : turns.forget(stream, reason)) {
      queues.enter(stream, turn);
      rounds.advance(stream);
    }
  }

  /** Leaves heap and engine once its memory is written, so that it comes back without replay. */
  private void sleep(StreamState stream) throws Exception {
    if (stream.session != null && stream.logBytes > 0 && stream.memoryFailures == 0) {
      snapshots.write(stream);
      return;
    }
    streams.sleep(stream);
    asleep.put(stream.key, new Asleep(stream.seenMillis, told(stream)));
  }

  /** {@code 90 s}, {@code 5 min}, {@code 24 h}. */
  static String words(long millis) {
    if (millis % 3_600_000 == 0) {
      return millis / 3_600_000 + " h";
    }
    if (millis % 60_000 == 0) {
      return millis / 60_000 + " min";
    }
    return millis % 1000 == 0 ? millis / 1000 + " s" : millis + " ms";
  }
}

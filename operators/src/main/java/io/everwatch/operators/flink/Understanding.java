// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.flink;

import io.everwatch.operators.chunk.Assembled.Chunk;
import io.everwatch.operators.chunk.ChunkSettings;
import io.everwatch.operators.chunk.Frame;
import io.everwatch.operators.engine.Engine;
import io.everwatch.operators.engine.RoundInput;
import io.everwatch.operators.engine.RoundResult;
import io.everwatch.operators.engine.RoundResult.Failed;
import io.everwatch.operators.engine.Seat;
import io.everwatch.operators.engine.StreamSession;
import io.everwatch.operators.flink.FrameRecord.End;
import io.everwatch.operators.flink.FrameRecord.Picture;
import io.everwatch.operators.flink.FrameRecord.Unusable;
import io.everwatch.operators.flink.StreamState.Queued;
import io.everwatch.operators.flink.Turn.ChunkTurn;
import io.everwatch.operators.flink.Turn.CommandTurn;
import io.everwatch.operators.flink.Turn.EndTurn;
import io.everwatch.operators.flink.Turn.GapTurn;
import io.everwatch.operators.model.SamplingChanges;
import io.everwatch.operators.model.StreamSettings;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.apache.flink.api.common.operators.ProcessingTimeService;

/**
 * The streams of one subtask: assembles their chunks, gives them to the engine one round per stream
 * at a time, in order, and says what came of it. Answer, log entry and output belong to one call of
 * {@link #answered}, so that whenever a checkpoint looks, state and output agree.
 */
final class Understanding {
  /** Where results go; {@code timestamp} as in {@link Turn}. */
  interface Outlet {
    void text(TextRecord record, long timestamp);

    void deadLetter(String reason, DeadLetterRecord record, long timestamp);
  }

  private final Seat seat;
  private final StreamStore store;
  private final SnapshotWriter snapshots;
  private final WatermarkGate gate;
  private final Outlet outlet;
  private final ProcessingTimeService clock;
  private final OperatorMetrics metrics;
  private final ChunkSettings chunks;
  private final TurnMaker turns;
  private final EventBuilder events;
  private final SessionOpener sessions;
  private final String model;
  private final String numerics;

  private final Map<StreamKey, StreamState> streams = new HashMap<>();
  private final IdentityHashMap<StreamSession, StreamState> bySession = new IdentityHashMap<>();
  private final Set<StreamState> changed = new LinkedHashSet<>();

  /** Could submit a round, but as many as may be are at the engine. */
  private final Set<StreamState> stalled = new LinkedHashSet<>();

  private final int maxRunning;
  private int inFlight;
  private int running;
  private boolean paused;

  Understanding(
      Engine engine,
      Seat seat,
      StreamStore store,
      SnapshotWriter snapshots,
      WatermarkGate gate,
      UnderstandSettings settings,
      Outlet outlet,
      ProcessingTimeService clock,
      OperatorMetrics metrics) {
    this.seat = seat;
    this.store = store;
    this.snapshots = snapshots;
    this.gate = gate;
    this.outlet = outlet;
    this.clock = clock;
    this.metrics = metrics;
    chunks = TurnMaker.chunks(engine.settings());
    maxRunning = settings.maxInFlight();
    turns = new TurnMaker(outlet, clock);
    events = new EventBuilder(engine, settings.maxTextBytes(), metrics);
    sessions = new SessionOpener(engine, seat, store);
    this.model = engine.modelDigest();
    numerics = engine.numericsIdentity();
  }

  /** Turns that wait or are under way. */
  int inFlight() {
    return inFlight;
  }

  long memoriesWritten() {
    return snapshots.written();
  }

  /** Streams that are known now. */
  int size() {
    return streams.size();
  }

  /** Rounds at the engine. */
  int running() {
    return running;
  }

  boolean knows(StreamState stream) {
    return streams.get(stream.key) == stream;
  }

  /** Whether the end of this stream waits in its queue. */
  boolean ending(StreamKey key) {
    StreamState stream = streams.get(key);
    return stream != null && stream.ending;
  }

  /** Goes on with the streams whose turns were stored. */
  void resume(List<StreamKey> keys) throws Exception {
    for (StreamKey key : keys) {
      StreamState stream = find(key).orElseThrow();
      for (Turn turn : store.pending(key)) {
        enqueue(stream, turn);
      }
    }
  }

  /** A record that is no frame. */
  void refuse(Origin origin, Unusable unusable, long timestamp) {
    metrics.received();
    outlet.deadLetter(unusable.reason(), DeadLetters.of(origin, unusable), timestamp);
  }

  /** Takes a frame, a command or the end of a stream; returns the turns that it brings about. */
  List<Turn> assemble(FrameRecord record, long timestamp) throws Exception {
    StreamKey key = record.key();
    Optional<StreamState> found = find(key);
    if (record.content() instanceof Picture picture) {
      metrics.received();
      StreamState stream = found.isPresent() ? found.get() : start(key);
      changed.add(stream);
      return turns.frame(stream, record, picture, timestamp);
    }
    if (record.content() instanceof Command command) {
      return order(found, record, command, timestamp);
    }
    if (found.isEmpty()) {
      return List.of(); // the end of a stream that never was, or has ended already
    }
    changed.add(found.get());
    return turns.end(found.get(), record, (End) record.content(), timestamp);
  }

  private List<Turn> order(
      Optional<StreamState> found, FrameRecord record, Command command, long timestamp) {
    CommandTurn turn = turns.command(record, command, found.isEmpty(), timestamp);
    if (found.isEmpty()) {
      Verdict verdict = Verdict.of(StreamOrders.NONE, command, /* isNew= */ true);
      if (!verdict.obeyed()) { // no stream comes about; nothing is remembered
        outlet.text(events.notice(nothing(record.key()), turn, verdict.text()), timestamp);
        return List.of();
      }
    }
    changed.add(found.isPresent() ? found.get() : start(record.key()));
    return List.of(turn);
  }

  void enqueue(StreamKey key, Turn turn) throws Exception {
    StreamState stream = find(key).orElseThrow();
    changed.add(stream);
    enqueue(stream, turn);
  }

  private void enqueue(StreamState stream, Turn turn) throws Exception {
    stream.queue.add(new Queued(turn, gate.enter()));
    stream.ending |= turn instanceof EndTurn;
    inFlight++;
    advance(stream);
  }

  /** Does what can be done now: runs logged rounds again, submits a chunk, reports gap and end. */
  private void advance(StreamState stream) throws Exception {
    while (!paused && !stream.running) {
      StreamSession session = stream.session;
      if (running >= maxRunning) {
        stalled.add(stream);
        return;
      }
      if (session != null && stream.replaying()) {
        LoggedRound logged = store.logged(stream.key, stream.nextReplayed);
        submit(stream, session, logged.input(), logged.sampling());
        return;
      }
      Queued head = stream.queue.peek();
      if (head == null) {
        return;
      }
      if (head.turn() instanceof ChunkTurn turn) {
        if (stream.orders.stopped()) {
          skip(stream, turn);
        } else if (session == null) {
          open(stream);
        } else {
          submit(stream, session, stream.input(turn.chunk()), stream.orders.sampling());
        }
      } else if (head.turn() instanceof GapTurn turn) {
        stream.pass(turn.gap(), chunks.maxGapMicros());
        leave(stream, events.gap(stream, turn));
      } else if (head.turn() instanceof CommandTurn turn) {
        obey(stream, turn);
      } else {
        leave(stream, events.ended(stream, (EndTurn) head.turn()));
        drop(stream);
        return;
      }
    }
  }

  private void submit(
      StreamState stream, StreamSession session, RoundInput input, Map<String, String> sampling) {
    StreamSettings wanted = SamplingChanges.apply(session.settings(), sampling);
    if (!wanted.equals(session.settings())) {
      seat.resample(session, wanted);
    }
    stream.running = true;
    running++;
    seat.submit(session, input);
  }

  /** Applies what the engine made of a round. */
  void answered(RoundResult result) throws Exception {
    StreamState stream = bySession.get(result.session());
    if (stream == null) {
      throw new IllegalStateException(
          "an answer for stream %s, which has no session; the engine must not answer for a released"
                  .formatted(result.session().streamId())
              + " one");
    }
    stream.running = false;
    running--;
    if (stream.replaying()) {
      sessions.replayed(stream, store.logged(stream.key, stream.nextReplayed), result);
      stream.nextReplayed++;
      metrics.replayed();
      changed.add(stream); // it may have been marked
    } else {
      say(stream, result);
      snapshots.answered(stream, clock.getCurrentProcessingTime());
    }
    advance(stream);
    while (!paused && running < maxRunning && !stalled.isEmpty()) {
      StreamState next = stalled.iterator().next();
      stalled.remove(next);
      advance(next);
    }
  }

  private void say(StreamState stream, RoundResult result) throws Exception {
    ChunkTurn turn = (ChunkTurn) stream.queue.element().turn();
    Chunk<SourcedFrame> chunk = turn.chunk();
    stream.closed(chunk.index(), chunk.endMicros());
    Set<Frame<SourcedFrame>> bad = turns.badFrames(stream, turn, result);
    metrics.answered(turn, result);
    if (result.outcome() instanceof Failed) {
      stream.dropVision = result.input().dropVision(); // nothing was forgotten: ask again
    } else {
      stream.dropVision = false;
      stream.orders = stream.orders.withSkippedMicros(0);
      LoggedRound logged =
          new LoggedRound(result.input(), stream.orders.sampling(), result.outcome());
      store.log(stream.key, stream.nextLogged, logged);
      stream.nextLogged++;
      stream.nextReplayed = stream.nextLogged;
      stream.logBytes += logged.sizeBytes();
      metrics.logged(logged.sizeBytes());
    }
    leave(stream, events.answered(stream, turn, result, bad));
  }

  /** What a command asks for; it is behind the chunks that were closed before it came. */
  private void obey(StreamState stream, CommandTurn turn) {
    Command command = turn.command();
    if (stream.orders.seen().contains(command.id())) {
      leave(stream); // sent twice; it was answered the first time
      return;
    }
    Verdict verdict = Verdict.of(stream.orders, command, turn.isNew());
    stream.orders = verdict.orders();
    if (verdict.forget()) {
      release(stream);
      store.forget(stream.key);
      stream.forget();
      stream.promptDigest = EventBuilder.promptDigest(sessions.settings(stream));
    }
    outlet.text(events.notice(stream, turn, verdict.text()), turn.timestamp());
    leave(stream);
  }

  /** A chunk that nobody wants: recorded, not understood. */
  private void skip(StreamState stream, ChunkTurn turn) {
    stream.skip(turn.chunk(), chunks.maxGapMicros());
    leave(stream, events.skipped(stream, turn));
  }

  /** The turn at the head of the queue has been answered by its chunk's event, or the last one. */
  private void leave(StreamState stream, TextRecord text) {
    outlet.text(text, stream.queue.element().turn().timestamp());
    stream.marks.clear();
    stream.orders = stream.orders.named();
    leave(stream);
  }

  private void leave(StreamState stream) {
    Queued head = stream.queue.remove();
    changed.add(stream);
    gate.leave(head.pass());
    inFlight--;
  }

  private void drop(StreamState stream) {
    streams.remove(stream.key);
    changed.remove(stream);
    stalled.remove(stream);
    release(stream);
    store.clear(stream.key);
  }

  private void release(StreamState stream) {
    StreamSession session = stream.session;
    if (session != null) {
      bySession.remove(session);
      seat.release(session);
    }
  }

  private Optional<StreamState> find(StreamKey key) throws Exception {
    StreamState known = streams.get(key);
    if (known != null) {
      return Optional.of(known);
    }
    Optional<StoredStream> stored = store.stream(key);
    if (stored.isEmpty()) {
      return Optional.empty();
    }
    StreamState stream = StreamState.restore(key, chunks, stored.get());
    streams.put(key, stream);
    open(stream);
    advance(stream);
    return Optional.of(stream);
  }

  private StreamState start(StreamKey key) {
    StreamState stream = nothing(key);
    streams.put(key, stream);
    return stream;
  }

  /** A stream of which nothing has come. */
  private StreamState nothing(StreamKey key) {
    StreamState stream = StreamState.start(key, chunks, model, numerics);
    stream.promptDigest = EventBuilder.promptDigest(sessions.settings(stream));
    return stream;
  }

  private void open(StreamState stream) throws Exception {
    StreamSession session = sessions.open(stream);
    bySession.put(session, stream);
    stream.promptDigest = EventBuilder.promptDigest(session.settings());
    changed.add(stream); // its marks and identities may be new
    snapshots.opened(stream, clock.getCurrentProcessingTime());
  }

  /** Submits nothing more: a barrier passes. */
  void pause() {
    paused = true;
  }

  void checkpoint() {
    snapshots.checkpoint(streams.values());
  }

  void unpause() throws Exception {
    paused = false;
    stalled.clear();
    for (StreamState stream : List.copyOf(streams.values())) {
      advance(stream);
    }
  }

  /** Stores what is not stored with each answer. */
  void save() throws Exception {
    for (StreamState stream : changed) {
      store.save(stream);
    }
    changed.clear();
  }
}

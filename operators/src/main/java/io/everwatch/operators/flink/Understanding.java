// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.flink;

import io.everwatch.operators.engine.Engine;
import io.everwatch.operators.engine.RoundResult;
import io.everwatch.operators.engine.Seat;
import io.everwatch.operators.flink.FrameRecord.End;
import io.everwatch.operators.flink.FrameRecord.Picture;
import io.everwatch.operators.flink.FrameRecord.Unusable;
import io.everwatch.operators.flink.Turn.ChunkTurn;
import java.util.List;
import java.util.Optional;
import org.apache.flink.api.common.operators.ProcessingTimeService;

/**
 * What one subtask does with its records: puts the parts together and leads each record to its own.
 *
 * <ul>
 *   <li>{@link StreamTable}: a stream begins, comes back from state, ends;
 *   <li>{@link TurnMaker}: a record becomes turns (closed chunks, gaps, commands, the end);
 *   <li>{@link TurnQueues}: a turn enters the queue of its stream, and leaves it;
 *   <li>{@link Rounds}: what is done with each turn; before a chunk is submitted;
 *   <li>{@link Skips}: the chunks that are not understood;
 *   <li>{@link MergedRounds}: the chunks that are understood together;
 *   <li>{@link Commands}: what a command does;
 *   <li>{@link Answers}: after an answer;
 *   <li>{@link StreamLimit}: how many streams there may be;
 *   <li>{@link SilentStreams}: what happens to a stream of which nothing comes.
 * </ul>
 */
final class Understanding {
  private final SnapshotWriter snapshots;
  private final HeapBound heap;
  private final StreamStore store;
  private final Outlet outlet;
  private final OperatorMetrics metrics;
  private final StreamLimit limit;
  private final StreamTable streams;
  private final TurnMaker turns;
  private final TurnQueues queues;
  private final Commands commands;
  private final Rounds rounds;
  private final Skips skips;
  private final SilentStreams silence;

  Understanding(
      Engine engine,
      Seat seat,
      StreamStore store,
      SnapshotWriter snapshots,
      HeapBound heap,
      WatermarkGate gate,
      UnderstandSettings settings,
      OverloadDecisions decisions,
      Outlet outlet,
      ProcessingTimeService clock,
      OperatorMetrics metrics) {
    this.snapshots = snapshots;
    this.heap = heap;
    this.store = store;
    this.outlet = outlet;
    this.metrics = metrics;
    SessionOpener sessions = new SessionOpener(engine, seat, store, metrics);
    EventBuilder events =
        new EventBuilder(
            engine, settings.maxTextBytes(), clock.getCurrentProcessingTime(), metrics);
    turns = new TurnMaker(outlet, clock);
    limit = new StreamLimit(settings.limits().streams());
    streams = new StreamTable(engine, seat, store, snapshots, sessions, heap, clock, limit);
    queues =
        new TurnQueues(streams, store, gate, outlet, settings.overload().mode(), settings.limits());
    commands = new Commands(streams, queues, turns, events, limit, outlet);
    skips =
        new Skips(
            decisions,
            settings.overload().mode(),
            engine.settings().maxGapMicros(),
            queues,
            events,
            clock,
            metrics);
    MergedRounds merges =
        new MergedRounds(decisions, skips, streams, settings.limits().inFlightBytes());
    rounds =
        new Rounds(
            seat,
            store,
            streams,
            clock,
            queues,
            new Answers(
                streams,
                queues,
                store,
                snapshots,
                sessions,
                turns,
                merges,
                events,
                new MemoryLook(engine, settings.maxTextBytes()),
                clock,
                metrics),
            commands,
            skips,
            merges,
            events,
            engine.settings().maxGapMicros(),
            settings.limits());
    silence =
        new SilentStreams(
            streams, store, snapshots, turns, queues, rounds, events, outlet, clock, settings);
  }

  /** Turns that wait or are under way. */
  int inFlight() {
    return queues.inFlight();
  }

  /** Turns whose pictures are in state only. */
  int parked() {
    return queues.parked();
  }

  /** Bytes of the turns that are in the heap. */
  long heapBytes() {
    return queues.heapBytes();
  }

  long memoriesWritten() {
    return snapshots.written();
  }

  /** Memories and logs of all streams, as of the last checkpoint. */
  long stateBytes() {
    return heap.bytes();
  }

  /** Streams that are known now. */
  int size() {
    return streams.size();
  }

  /** Rounds at the engine. */
  int running() {
    return rounds.running();
  }

  boolean knows(StreamState stream) {
    return streams.knows(stream);
  }

  /** Whether the end of this stream waits in its queue. */
  boolean ending(StreamKey key) {
    return streams.known(key).map(stream -> stream.ending).orElse(false);
  }

  /** So many streams came with the state. */
  void restored(int count) {
    limit.restored(count);
  }

  /** Goes on with the streams whose turns were stored. */
  void resume(List<StreamKey> keys) throws Exception {
    for (StreamKey key : keys) {
      for (Turn turn : store.pending(key)) {
        enqueue(key, turn);
      }
    }
  }

  /** Streams of which nothing comes. */
  SilentStreams silence() {
    return silence;
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
      if (found.isEmpty() && limit.reached()) {
        refuse(record.origin(), limit.refuse(key, picture), timestamp);
        return List.of();
      }
      metrics.received();
      StreamState stream = found.isPresent() ? found.get() : begin(key);
      streams.changed(stream);
      silence.heard(stream, record);
      stream.lastFrame = Optional.of(record.origin().withoutKey());
      return turns.frame(stream, record, picture, timestamp);
    }
    if (record.content() instanceof Command command) {
      List<Turn> turn = commands.take(found, record, command, timestamp);
      streams.known(key).ifPresent(stream -> silence.heard(stream, record));
      return turn;
    }
    if (found.isEmpty()) {
      return List.of(); // the end of a stream that never was, or has ended already
    }
    streams.changed(found.get());
    return turns.end(found.get(), record, (End) record.content(), timestamp);
  }

  private StreamState begin(StreamKey key) {
    StreamState stream = streams.nothing(key);
    streams.add(stream);
    return stream;
  }

  /** Lets a turn of {@link #assemble} in; false: others must leave first. */
  boolean enter(StreamKey key, Turn turn) throws Exception {
    StreamState stream = streams.known(key).orElseThrow();
    Optional<Turn> entering = Optional.of(turn);
    while (entering.isPresent() && !queues.room(stream, entering.get())) {
      entering = makeRoom(stream, turn);
    }
    if (entering.isPresent()) {
      enqueue(key, entering.get());
    }
    return entering.isPresent();
  }

  /** A live stream skips a chunk; returns what may enter now if there is room, empty: nothing. */
  private Optional<Turn> makeRoom(StreamState coming, Turn turn) throws Exception {
    Optional<StreamState> found = skips.mostWaiting(streams.all(), coming, turn);
    if (found.isEmpty()) {
      return Optional.empty();
    }
    StreamState stream = found.get();
    int waiting = stream.undecided().size();
    if (waiting == 0) {
      return skips.skipComing(stream, (ChunkTurn) turn);
    }
    if (!skips.skipOldest(stream, /* newest= */ waiting == 1 && stream != coming)) {
      return Optional.empty();
    }
    rounds.advance(stream);
    return Optional.of(turn);
  }

  private void enqueue(StreamKey key, Turn turn) throws Exception {
    StreamState stream = find(key).orElseThrow();
    queues.enter(stream, turn);
    rounds.advance(stream);
  }

  private Optional<StreamState> find(StreamKey key) throws Exception {
    Optional<StreamState> known = streams.known(key);
    if (known.isPresent()) {
      return known;
    }
    Optional<StreamState> back = streams.restore(key);
    if (back.isPresent()) {
      rounds.advance(back.get()); // the rounds of its log
    }
    return back;
  }

  /** Applies what the engine made of a round. */
  void answered(RoundResult result) throws Exception {
    rounds.answered(result);
  }

  /** Submits nothing more: a barrier passes. */
  void pause() {
    rounds.pause();
  }

  /** All that may be answered before the barrier was answered. */
  void checkpoint() {
    heap.measure(streams.all());
    snapshots.checkpoint(streams.all());
  }

  /** Nothing more will come. */
  void inputEnded() throws Exception {
    rounds.inputEnded();
  }

  void unpause() throws Exception {
    rounds.unpause();
  }

  /** Stores what is not stored with each answer. */
  void save() throws Exception {
    streams.save();
  }
}

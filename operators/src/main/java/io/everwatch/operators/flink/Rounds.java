// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.flink;

import io.everwatch.operators.engine.RoundInput;
import io.everwatch.operators.engine.RoundResult;
import io.everwatch.operators.engine.Seat;
import io.everwatch.operators.engine.StreamSession;
import io.everwatch.operators.flink.StreamState.Queued;
import io.everwatch.operators.flink.Turn.ChunkTurn;
import io.everwatch.operators.flink.Turn.CommandTurn;
import io.everwatch.operators.flink.Turn.EndTurn;
import io.everwatch.operators.flink.Turn.GapTurn;
import io.everwatch.operators.flink.UnderstandSettings.Limits;
import io.everwatch.operators.model.SamplingChanges;
import io.everwatch.operators.model.StreamSettings;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Works through the queues: what is done with each kind of turn, and when a stream's next round
 * goes to the engine. One round per stream at a time, in order.
 */
final class Rounds {
  private final Seat seat;
  private final StreamStore store;
  private final StreamTable streams;
  private final TurnQueues queues;
  private final Answers answers;
  private final Commands commands;
  private final Skips skips;
  private final EventBuilder events;
  private final long maxGapMicros;
  private final Limits limits;

  /** Could submit a round, but no more may be at the engine, or their pictures in the heap. */
  private final Set<StreamState> stalled = new LinkedHashSet<>();

  private final Rebuilds rebuilds = new Rebuilds();
  private int running;
  private long replayedBytes;
  private boolean paused;

  Rounds(
      Seat seat,
      StreamStore store,
      StreamTable streams,
      TurnQueues queues,
      Answers answers,
      Commands commands,
      Skips skips,
      EventBuilder events,
      long maxGapMicros,
      Limits limits) {
    this.seat = seat;
    this.store = store;
    this.streams = streams;
    this.queues = queues;
    this.answers = answers;
    this.commands = commands;
    this.skips = skips;
    this.events = events;
    this.maxGapMicros = maxGapMicros;
    this.limits = limits;
  }

  /** Rounds at the engine. */
  int running() {
    return running;
  }

  /** Submits nothing more: a barrier passes. */
  void pause() {
    paused = true;
  }

  void unpause() throws Exception {
    paused = false;
    stalled.clear();
    for (StreamState stream : streams.all()) {
      advance(stream);
    }
  }

  /** Does what can be done now: runs logged rounds again, and works through the queue. */
  void advance(StreamState stream) throws Exception {
    while (!paused && !stream.running && streams.knows(stream)) {
      if (running >= limits.inFlight() || !next(stream)) {
        stalled.add(stream);
        return;
      }
      if (!stream.replaying() && stream.queue.isEmpty()) {
        return;
      }
    }
  }

  /** Does the stream's next thing, if there is one; false: there is no room for it now. */
  private boolean next(StreamState stream) throws Exception {
    StreamSession session = stream.session;
    if (session != null && stream.replaying()) {
      return replay(stream, session);
    }
    Queued head = stream.queue.peek();
    return head == null || begin(stream, head.turn());
  }

  private boolean replay(StreamState stream, StreamSession session) throws Exception {
    LoggedRound logged = store.round(stream.key, stream.nextReplayed);
    if (running > 0 && replayedBytes + logged.sizeBytes() > limits.inFlightBytes()) {
      return false;
    }
    store.load(stream.key, logged.distinct());
    replayedBytes += logged.sizeBytes();
    submit(
        stream,
        session,
        stream.replaysAsSaid() ? logged.asSaid() : logged.input(),
        logged.sampling());
    return true;
  }

  /** What is done with each kind of turn when its time has come; false: not now. */
  private boolean begin(StreamState stream, Turn turn) throws Exception {
    if (turn instanceof ChunkTurn chunk) {
      return skips.skipped(stream, chunk) || understand(stream, chunk);
    }
    skips.tell(stream);
    if (turn instanceof GapTurn gap) {
      stream.pass(gap.gap(), maxGapMicros);
      queues.leave(stream, events.gap(stream, gap));
    } else if (turn instanceof CommandTurn command) {
      commands.obey(stream, command);
    } else {
      queues.leave(stream, events.ended(stream, (EndTurn) turn));
      stalled.remove(stream);
      streams.drop(stream);
    }
    return true;
  }

  /** Before a chunk is submitted. */
  private boolean understand(StreamState stream, ChunkTurn turn) throws Exception {
    StreamSession session = stream.session;
    if (session == null) {
      if (streams.mustRebuild(stream) && !rebuilds.mayBegin(stream)) {
        return false;
      }
      streams.open(stream);
      return true; // a memory that was stored has rounds to run again first
    }
    if (!queues.load(stream, running > 0)) {
      return false;
    }
    submit(stream, session, stream.input(turn.chunk()), stream.orders.sampling());
    return true;
  }

  private void submit(
      StreamState stream, StreamSession session, RoundInput input, Map<String, String> sampling) {
    StreamSettings had = session.settings();
    StreamSettings wanted =
        SamplingChanges.apply(had, sampling)
            .withGrid(had.chunkMicros(), input.frames().size()); // as many as its chunk has
    if (!wanted.equals(had)) {
      seat.resample(session, wanted);
    }
    stream.running = true;
    running++;
    seat.submit(session, input);
  }

  /** Applies what the engine made of a round, and goes on. */
  void answered(RoundResult result) throws Exception {
    StreamState stream = streams.of(result);
    stream.running = false;
    running--;
    if (stream.replaying()) {
      replayedBytes -= store.round(stream.key, stream.nextReplayed).sizeBytes();
    }
    answers.apply(stream, result);
    advance(stream);
    if (!stream.replaying()) {
      var next = rebuilds.over(stream);
      if (next.isPresent()) {
        advance(next.get());
      }
    }
    unstall();
  }

  /** Those that wait longest go first; one without room keeps its place. */
  private void unstall() throws Exception {
    for (StreamState next : List.copyOf(stalled)) {
      if (paused || running >= limits.inFlight()) {
        return;
      }
      stalled.remove(next);
      advance(next);
    }
  }
}

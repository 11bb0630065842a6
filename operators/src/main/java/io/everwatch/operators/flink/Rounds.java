// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.flink;

import io.everwatch.operators.chunk.ChunkSettings;
import io.everwatch.operators.engine.RoundInput;
import io.everwatch.operators.engine.RoundResult;
import io.everwatch.operators.engine.Seat;
import io.everwatch.operators.engine.StreamSession;
import io.everwatch.operators.flink.StreamState.Queued;
import io.everwatch.operators.flink.Turn.ChunkTurn;
import io.everwatch.operators.flink.Turn.CommandTurn;
import io.everwatch.operators.flink.Turn.EndTurn;
import io.everwatch.operators.flink.Turn.GapTurn;
import io.everwatch.operators.model.SamplingChanges;
import io.everwatch.operators.model.StreamSettings;
import java.util.LinkedHashSet;
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
  private final EventBuilder events;
  private final ChunkSettings chunks;
  private final int maxRunning;

  /** Could submit a round, but as many as may be are at the engine. */
  private final Set<StreamState> stalled = new LinkedHashSet<>();

  private final Rebuilds rebuilds = new Rebuilds();
  private int running;
  private boolean paused;

  Rounds(
      Seat seat,
      StreamStore store,
      StreamTable streams,
      TurnQueues queues,
      Answers answers,
      Commands commands,
      EventBuilder events,
      ChunkSettings chunks,
      int maxRunning) {
    this.seat = seat;
    this.store = store;
    this.streams = streams;
    this.queues = queues;
    this.answers = answers;
    this.commands = commands;
    this.events = events;
    this.chunks = chunks;
    this.maxRunning = maxRunning;
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
      if (running >= maxRunning) {
        stalled.add(stream);
        return;
      }
      StreamSession session = stream.session;
      if (session != null && stream.replaying()) {
        LoggedRound logged = store.logged(stream.key, stream.nextReplayed);
        submit(
            stream,
            session,
            stream.replaysAsSaid() ? logged.asSaid() : logged.input(),
            logged.sampling());
        return;
      }
      Queued head = stream.queue.peek();
      if (head == null || mustWait(stream, head.turn())) {
        return;
      }
      begin(stream, head.turn());
    }
  }

  /** Whether the chunk needs a memory that is to be rebuilt, and others are at it. */
  private boolean mustWait(StreamState stream, Turn turn) {
    return turn instanceof ChunkTurn
        && stream.session == null
        && !stream.orders.stopped()
        && streams.mustRebuild(stream)
        && !rebuilds.mayBegin(stream);
  }

  /** What is done with each kind of turn when its time has come. */
  private void begin(StreamState stream, Turn turn) throws Exception {
    if (turn instanceof ChunkTurn chunk) {
      understand(stream, chunk);
    } else if (turn instanceof GapTurn gap) {
      stream.pass(gap.gap(), chunks.maxGapMicros());
      queues.leave(stream, events.gap(stream, gap));
    } else if (turn instanceof CommandTurn command) {
      commands.obey(stream, command);
    } else {
      queues.leave(stream, events.ended(stream, (EndTurn) turn));
      stalled.remove(stream);
      streams.drop(stream);
    }
  }

  /** Before a chunk is submitted: whether it is, and with what. */
  private void understand(StreamState stream, ChunkTurn turn) throws Exception {
    if (stream.orders.stopped()) { // nobody wants it: recorded, not understood
      stream.skip(turn.chunk(), chunks.maxGapMicros());
      queues.leave(stream, events.skipped(stream, turn));
      return;
    }
    StreamSession session = stream.session;
    if (session == null) {
      streams.open(stream);
      return; // a memory that was stored has rounds to run again first
    }
    submit(stream, session, stream.input(turn.chunk()), stream.orders.sampling());
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

  /** Applies what the engine made of a round, and goes on. */
  void answered(RoundResult result) throws Exception {
    StreamState stream = streams.of(result);
    stream.running = false;
    running--;
    answers.apply(stream, result);
    advance(stream);
    if (!stream.replaying()) {
      var next = rebuilds.over(stream);
      if (next.isPresent()) {
        advance(next.get());
      }
    }
    while (!paused && running < maxRunning && !stalled.isEmpty()) {
      StreamState next = stalled.iterator().next();
      stalled.remove(next);
      advance(next);
    }
  }
}

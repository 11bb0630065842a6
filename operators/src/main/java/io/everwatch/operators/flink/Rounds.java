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
import io.everwatch.operators.flink.Turn.SkippedTurn;
import io.everwatch.operators.flink.UnderstandSettings.Limits;
import io.everwatch.operators.model.SamplingChanges;
import io.everwatch.operators.model.StreamSettings;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.flink.api.common.operators.ProcessingTimeService;

/**
 * Works through the queues: what is done with each kind of turn, and when a stream's next round
 * goes to the engine. One round per stream at a time, in order.
 */
final class Rounds {
  private final Seat seat;
  private final StreamStore store;
  private final StreamTable streams;
  private final ProcessingTimeService clock;
  private final TurnQueues queues;
  private final Answers answers;
  private final Commands commands;
  private final Skips skips;
  private final MergedRounds merges;
  private final EventBuilder events;
  private final long maxGapMicros;
  private final Limits limits;

  /**
   * Have something to do for which there is no place at the engine or no room in the heap, or for
   * which it is not the time. In the order in which they came to wait.
   */
  private final Set<StreamState> stalled = new LinkedHashSet<>();

  private final Rebuilds rebuilds = new Rebuilds();
  private int running;
  private long replayedBytes;
  private boolean paused;

  Rounds(
      Seat seat,
      StreamStore store,
      StreamTable streams,
      ProcessingTimeService clock,
      TurnQueues queues,
      Answers answers,
      Commands commands,
      Skips skips,
      MergedRounds merges,
      EventBuilder events,
      long maxGapMicros,
      Limits limits) {
    this.seat = seat;
    this.store = store;
    this.streams = streams;
    this.clock = clock;
    this.queues = queues;
    this.answers = answers;
    this.commands = commands;
    this.skips = skips;
    this.merges = merges;
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
    workStalled();
  }

  /** Nothing more will come. */
  void inputEnded() throws Exception {
    merges.inputEnded();
    workStalled();
  }

  private void workStalled() throws Exception {
    for (StreamState stream : List.copyOf(stalled)) {
      work(stream);
    }
  }

  /**
   * Does what can be done now: runs logged rounds again, and works through the queue. Streams that
   * wait for a place at the engine go first.
   */
  void advance(StreamState stream) throws Exception {
    unstall();
    work(stream);
  }

  private void work(StreamState stream) throws Exception {
    if (hasMore(stream)) {
      stalled.add(stream); // keeps its place if it has one
    } else {
      stalled.remove(stream);
    }
  }

  /** Goes on with a stream as far as possible; whether something is left to do. */
  private boolean hasMore(StreamState stream) throws Exception {
    while (!stream.running && streams.knows(stream)) {
      if (!stream.replaying() && stream.queue.isEmpty()) {
        return false;
      }
      if (paused || !next(stream)) {
        return true;
      }
    }
    return false;
  }

  /** Whether a round that is submitted now soon begins. */
  private boolean hasPlace() {
    return seat.hasPlace(running) && !paused && running < limits.inFlight();
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
    Replay replay = Replay.next(store, stream, session.settings().visualRounds());
    Set<SourcedFrame> pictures = replay.pictures();
    long bytes = pictures.stream().mapToLong(SourcedFrame::sizeBytes).sum();
    if (!hasPlace() || (running > 0 && replayedBytes + bytes > limits.inFlightBytes())) {
      return false;
    }
    store.load(stream.key, pictures);
    stream.replayedBytes = bytes;
    replayedBytes += bytes;
    submit(stream, session, replay.input(), replay.sampling());
    return true;
  }

  /** What is done with each kind of turn when its time has come; false: not now. */
  private boolean begin(StreamState stream, Turn turn) throws Exception {
    if (turn instanceof ChunkTurn chunk) {
      return skips.stopped(stream, chunk) || (hasPlace() && understand(stream, chunk));
    }
    if (turn instanceof SkippedTurn skipped) {
      skips.skip(stream, skipped);
      return true;
    }
    skips.tell(stream);
    if (turn instanceof GapTurn gap) {
      stream.pass(gap.gap(), maxGapMicros);
      queues.leave(stream, events.gap(stream, gap));
    } else if (turn instanceof CommandTurn command) {
      commands.obey(stream, command);
    } else {
      queues.leave(stream, events.ended(stream, (EndTurn) turn));
      streams.drop(stream);
    }
    return true;
  }

  /** A memory that must be rebuilt, or has rounds to run again, comes before the decision. */
  private boolean understand(StreamState stream, ChunkTurn turn) throws Exception {
    StreamSession session = stream.session;
    if (session == null) {
      if (streams.mustRebuild(stream) && !rebuilds.mayBegin(stream)) {
        return false;
      }
      streams.open(stream);
      return true;
    }
    if (stream.accepted != turn.chunk().index()) { // decided once, however long it waits
      if (skips.late(stream, turn)) {
        return true;
      }
      merges.decide(stream, session.settings(), turn);
    }
    List<ChunkTurn> round = merges.next(stream);
    if (round.isEmpty() || !queues.load(stream, round.size(), running > 0)) {
      return false;
    }
    submit(stream, session, stream.input(round), stream.orders.sampling());
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
    stream.submittedMillis = clock.getCurrentProcessingTime();
    running++;
    seat.submit(session, input);
  }

  /** Applies what the engine made of a round, and goes on. */
  void answered(RoundResult result) throws Exception {
    StreamState stream = streams.of(result);
    stream.running = false;
    running--;
    if (stream.replaying()) {
      replayedBytes -= stream.replayedBytes;
    } else if (result.input().earlier().isEmpty()) {
      skips.took(clock.getCurrentProcessingTime() - stream.submittedMillis);
    }
    answers.apply(stream, result);
    advance(stream);
    if (!stream.replaying()) {
      var next = rebuilds.over(stream);
      if (next.isPresent()) {
        advance(next.get());
      }
    }
  }

  /** Those that wait longest go first; one without room in the heap keeps its place. */
  private void unstall() throws Exception {
    boolean place = hasPlace(); // asked in any case: other seats hear how many rounds are under way
    for (StreamState next : List.copyOf(stalled)) {
      if (!place) {
        return;
      }
      work(next);
      place = hasPlace();
    }
  }
}

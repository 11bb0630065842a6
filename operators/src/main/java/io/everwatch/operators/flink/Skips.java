// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.flink;

import io.everwatch.operators.chunk.Frame;
import io.everwatch.operators.flink.OperatorMetrics.SkipReason;
import io.everwatch.operators.flink.OverloadDecisions.Candidate;
import io.everwatch.operators.flink.StreamState.Queued;
import io.everwatch.operators.flink.Turn.ChunkTurn;
import io.everwatch.operators.flink.Turn.SkippedTurn;
import java.util.Collection;
import java.util.Comparator;
import java.util.Optional;
import org.apache.flink.api.common.operators.ProcessingTimeService;

/**
 * The chunks that are not understood: because their stream is stopped, each with an event of its
 * own; or under overload, a run of them with one.
 */
final class Skips {
  /** A minute of video: readers hear of a stream that skips all its chunks at least so often. */
  static final int LONGEST_RUN = 60;

  /** A long round counts for about so many after it. */
  private static final double FADING_ROUNDS = 128;

  private final OverloadDecisions decisions;
  private final OverloadMode mode;
  private final long maxGapMicros;
  private final TurnQueues queues;
  private final EventBuilder events;
  private final ProcessingTimeService clock;
  private final OperatorMetrics metrics;

  /** That a round took lately, of those that took long; falls slowly. */
  private double roundMillis;

  Skips(
      OverloadDecisions decisions,
      OverloadMode mode,
      long maxGapMicros,
      TurnQueues queues,
      EventBuilder events,
      ProcessingTimeService clock,
      OperatorMetrics metrics) {
    this.decisions = decisions;
    this.mode = mode;
    this.maxGapMicros = maxGapMicros;
    this.queues = queues;
    this.events = events;
    this.clock = clock;
    this.metrics = metrics;
  }

  /** Whether the chunk at the head of the queue is of a stopped stream: then it is done. */
  boolean stopped(StreamState stream, ChunkTurn turn) {
    if (stream.orders.stopped()) {
      skip(stream, SkippedTurn.of(turn, "stopped"));
      return true;
    }
    return false;
  }

  /** Whether the chunk at the head of the queue, now decided on, was skipped: then it is done. */
  boolean late(StreamState stream, ChunkTurn turn) {
    Candidate candidate = candidate(stream, turn, stream.isNewest(turn.chunk().index()));
    Optional<String> reason = decisions.skip(candidate);
    if (reason.isPresent()) {
      skip(stream, SkippedTurn.of(turn, reason.get()));
      return true;
    }
    stream.accepted = turn.chunk().index();
    stream.acceptedMillis = clock.getCurrentProcessingTime();
    tell(stream);
    return false;
  }

  /** What a decision on a chunk is made on. */
  Candidate candidate(StreamState stream, ChunkTurn turn, boolean newest) {
    long now = clock.getCurrentProcessingTime();
    if (stream.acceptedMillis == StreamState.NEVER) {
      stream.acceptedMillis = now;
    }
    long arrival =
        turn.chunk().frames().stream()
            .map(Frame::payload)
            .mapToLong(SourcedFrame::arrivalMillis)
            .max()
            .orElseThrow();
    return new Candidate(
        stream.key,
        turn.chunk().index(),
        stream.orders.overload().orElse(mode),
        now - arrival,
        (long) roundMillis,
        newest,
        now - stream.acceptedMillis);
  }

  /** A round was answered so long after it was submitted. */
  void took(long millis) {
    roundMillis = Math.max((double) millis, roundMillis + (millis - roundMillis) / FADING_ROUNDS);
  }

  /**
   * Which live stream skips a chunk so that there is room for a turn that has come: the one with
   * the most chunks on which nothing is decided, the one that comes included; of equal ones that
   * which was understood last. For a turn that is no live chunk none gives up its only one.
   *
   * @return empty: none
   */
  Optional<StreamState> mostWaiting(Collection<StreamState> streams, StreamState own, Turn coming) {
    if (!queues.roomForSkipped() || queues.parks(own)) {
      return Optional.empty(); // in the second case it is not the heap that is full
    }
    boolean live = coming instanceof ChunkTurn && own.isLive(mode);
    record Crowd(StreamState stream, int chunks) {}

    return streams.stream()
        .filter(stream -> stream.isLive(mode))
        .map(
            stream ->
                new Crowd(stream, stream.undecided().size() + (live && stream == own ? 1 : 0)))
        .filter(crowd -> crowd.chunks() > (live ? 0 : 1))
        .max(
            Comparator.comparingInt(Crowd::chunks)
                .thenComparingLong(crowd -> crowd.stream().acceptedMillis))
        .map(Crowd::stream);
  }

  /**
   * The oldest chunk on which nothing is decided is skipped for room.
   *
   * @param newest no newer one of the stream has come
   * @return false: it is not
   */
  boolean skipOldest(StreamState stream, boolean newest) {
    Queued oldest = stream.undecided().get(0);
    ChunkTurn turn = (ChunkTurn) oldest.turn();
    Optional<String> reason = decisions.skipForRoom(candidate(stream, turn, newest));
    reason.ifPresent(why -> queues.skip(stream, oldest, SkippedTurn.of(turn, why)));
    return reason.isPresent();
  }

  /** What enters in the place of a chunk that is skipped when it comes; empty: it is not. */
  Optional<Turn> skipComing(StreamState stream, ChunkTurn turn) {
    return decisions
        .skipForRoom(candidate(stream, turn, /* newest= */ true))
        .map(reason -> SkippedTurn.of(turn, reason));
  }

  /** The chunk at the head of the queue is not understood. */
  void skip(StreamState stream, SkippedTurn turn) {
    if (stream.orders.stopped()) {
      tell(stream);
      stream.skip(turn, maxGapMicros);
      metrics.skipped(SkipReason.STOPPED);
      SkippedRun one = turn.run().because("stopped by command " + stream.orders.stoppedBy());
      queues.leave(stream, events.skipped(stream, one, turn));
      return;
    }
    SkippedRun one = turn.run();
    SkippedRun before = stream.skipped;
    if (before != null && (one.clockReset() || !before.reason().equals(one.reason()))) {
      tell(stream); // the intervals of a run join, and one reason holds for all of it
      before = null;
    }
    SkippedRun run = before == null ? one : before.and(one);
    stream.skip(turn, maxGapMicros);
    metrics.skipped(SkipReason.OVERLOAD);
    if (run.chunks() < LONGEST_RUN) {
      stream.skipped = run;
      queues.leave(stream);
    } else {
      stream.skipped = null;
      queues.leave(stream, events.skipped(stream, run, turn));
    }
  }

  /**
   * The turn at the head of the queue ends the run of skipped chunks before it, if there is one.
   */
  void tell(StreamState stream) {
    SkippedRun run = stream.skipped;
    if (run != null) {
      stream.skipped = null;
      queues.say(stream, events.skipped(stream, run, stream.queue.element().turn()));
    }
  }
}

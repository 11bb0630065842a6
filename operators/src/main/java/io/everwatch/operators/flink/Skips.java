// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.flink;

import io.everwatch.operators.chunk.Frame;
import io.everwatch.operators.flink.OperatorMetrics.SkipReason;
import io.everwatch.operators.flink.Turn.ChunkTurn;
import java.util.Optional;
import org.apache.flink.api.common.operators.ProcessingTimeService;

/**
 * The chunks that are not understood: because their stream is stopped, each with an event of its
 * own; or under overload, a run of them with one.
 */
final class Skips {
  /** A minute of video: readers hear of a stream that skips all its chunks at least so often. */
  static final int LONGEST_RUN = 60;

  private final SkipDecisions decisions;
  private final OverloadMode mode;
  private final long maxGapMicros;
  private final TurnQueues queues;
  private final EventBuilder events;
  private final ProcessingTimeService clock;
  private final OperatorMetrics metrics;

  Skips(
      SkipDecisions decisions,
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

  /** Whether the chunk at the head of the queue was skipped: decided once, and done. */
  boolean skipped(StreamState stream, ChunkTurn turn) {
    if (stream.orders.stopped()) {
      tell(stream);
      SkippedRun one =
          SkippedRun.of(turn.chunk(), "stopped by command " + stream.orders.stoppedBy());
      stream.skip(turn.chunk(), maxGapMicros);
      metrics.skipped(SkipReason.STOPPED);
      queues.leave(stream, events.skipped(stream, one, turn));
      return true;
    }
    if (stream.accepted == turn.chunk().index()) {
      return false;
    }
    Optional<String> reason = decisions.skip(candidate(stream, turn));
    if (reason.isPresent()) {
      skip(stream, turn, SkippedRun.of(turn.chunk(), reason.get()));
      return true;
    }
    stream.accepted = turn.chunk().index();
    tell(stream);
    return false;
  }

  private SkipDecisions.Candidate candidate(StreamState stream, ChunkTurn turn) {
    long arrival =
        turn.chunk().frames().stream()
            .map(Frame::payload)
            .mapToLong(SourcedFrame::arrivalMillis)
            .max()
            .orElseThrow();
    return new SkipDecisions.Candidate(
        stream.key,
        turn.chunk().index(),
        stream.orders.overload().orElse(mode),
        clock.getCurrentProcessingTime() - arrival);
  }

  private void skip(StreamState stream, ChunkTurn turn, SkippedRun one) {
    SkippedRun before = stream.skipped;
    if (before != null && (one.clockReset() || !before.reason().equals(one.reason()))) {
      tell(stream); // the intervals of a run join, and one reason holds for all of it
      before = null;
    }
    SkippedRun run = before == null ? one : before.and(one);
    stream.skip(turn.chunk(), maxGapMicros);
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

// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.flink;

import io.everwatch.operators.chunk.Assembled.Chunk;
import io.everwatch.operators.chunk.Frame;
import io.everwatch.operators.engine.RoundResult;
import io.everwatch.operators.engine.RoundResult.Failed;
import io.everwatch.operators.flink.Turn.ChunkTurn;
import io.everwatch.schemas.avro.MemoryFigures;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.apache.flink.api.common.operators.ProcessingTimeService;

/**
 * After an answer. Answer, log entry and output belong to one call, so that whenever a checkpoint
 * looks, state and output agree.
 */
final class Answers {
  private final StreamTable streams;
  private final TurnQueues queues;
  private final StreamStore store;
  private final SnapshotWriter snapshots;
  private final SessionOpener sessions;
  private final TurnMaker turns;
  private final MergedRounds merges;
  private final EventBuilder events;
  private final MemoryLook look;
  private final ProcessingTimeService clock;
  private final OperatorMetrics metrics;

  Answers(
      StreamTable streams,
      TurnQueues queues,
      StreamStore store,
      SnapshotWriter snapshots,
      SessionOpener sessions,
      TurnMaker turns,
      MergedRounds merges,
      EventBuilder events,
      MemoryLook look,
      ProcessingTimeService clock,
      OperatorMetrics metrics) {
    this.streams = streams;
    this.queues = queues;
    this.store = store;
    this.snapshots = snapshots;
    this.sessions = sessions;
    this.turns = turns;
    this.merges = merges;
    this.events = events;
    this.look = look;
    this.clock = clock;
    this.metrics = metrics;
  }

  /** What the engine made of a round of the log, or of the chunks at the head of the queue. */
  void apply(StreamState stream, RoundResult result) throws Exception {
    if (stream.replaying()) {
      replayed(stream, result);
    } else {
      say(stream, result);
      snapshots.answered(stream, clock.getCurrentProcessingTime());
    }
  }

  private void replayed(StreamState stream, RoundResult result) throws Exception {
    int rounds = result.input().earlier().size() + 1;
    if (rounds > 1 && result.outcome() instanceof Failed failed) {
      sessions.refused(stream, rounds, failed);
      return; // none of them was made
    }
    for (int i = 0; i < rounds; i++) {
      sessions.replayed(stream, store.round(stream.key, stream.nextReplayed), result);
      stream.nextReplayed++;
      metrics.replayed();
    }
    streams.changed(stream); // it may have been marked
  }

  private void say(StreamState stream, RoundResult result) throws Exception {
    Optional<MergedChunks> merged = MergedChunks.of(result.input());
    if (merged.isPresent() && result.outcome() instanceof Failed failed) {
      merges.refused(stream, merged.get(), failed);
      return; // none of them was made
    }
    stream.merge = null;
    merged.ifPresent(metrics::merged);
    List<RoundResult> chunks = result.each();
    Optional<MemoryFigures> memory = remembered(stream, result, chunks);
    for (RoundResult chunk : chunks) {
      boolean last = chunk.input().chunk() == result.input().chunk();
      sayOfOne(stream, chunk, merged, last ? memory : Optional.empty());
    }
  }

  /** The memory after the round; empty: none was made. */
  private Optional<MemoryFigures> remembered(
      StreamState stream, RoundResult result, List<RoundResult> chunks) {
    if (result.outcome() instanceof Failed) {
      return Optional.empty();
    }
    stream.computed = stream.computed.with(result);
    long firstRound =
        chunks.stream().mapToLong(RoundResult::round).filter(round -> round >= 0).min().orElse(-1);
    return Optional.of(look.of(result, firstRound, stream.computed));
  }

  private void sayOfOne(
      StreamState stream,
      RoundResult result,
      Optional<MergedChunks> merged,
      Optional<MemoryFigures> memory)
      throws Exception {
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
      log(stream, turn, result);
    }
    queues.leave(stream, events.answered(stream, turn, result, bad, merged, memory));
  }

  private void log(StreamState stream, ChunkTurn turn, RoundResult result) throws Exception {
    LoggedRound logged =
        LoggedRound.of(
            result.input(),
            turn.chunk().frames().stream().map(Frame::payload).toList(),
            stream.orders.sampling(),
            result.outcome());
    store.log(stream, logged);
    stream.nextLogged++;
    stream.nextReplayed = stream.nextLogged;
    stream.logBytes += logged.sizeBytes();
    metrics.logged(logged.sizeBytes());
  }
}

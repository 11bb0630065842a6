// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.flink;

import io.everwatch.operators.chunk.Assembled;
import io.everwatch.operators.chunk.ChunkSettings;
import io.everwatch.operators.chunk.Frame;
import io.everwatch.operators.engine.RoundResult;
import io.everwatch.operators.engine.RoundResult.BadFrame;
import io.everwatch.operators.flink.FrameRecord.End;
import io.everwatch.operators.flink.FrameRecord.Picture;
import io.everwatch.operators.flink.Turn.ChunkTurn;
import io.everwatch.operators.flink.Turn.CommandTurn;
import io.everwatch.operators.flink.Turn.EndTurn;
import io.everwatch.operators.flink.Turn.GapTurn;
import io.everwatch.operators.model.StreamSettings;
import io.everwatch.schemas.EventHeaders;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.apache.flink.api.common.operators.ProcessingTimeService;

/** Leads a stream's records through its chunk assembler; frames that no chunk takes go out here. */
final class TurnMaker {
  private final Outlet outlet;
  private final ProcessingTimeService clock;

  TurnMaker(Outlet outlet, ProcessingTimeService clock) {
    this.outlet = outlet;
    this.clock = clock;
  }

  /** The settings of chunk assembly among those of a model. */
  static ChunkSettings chunks(StreamSettings model) {
    return new ChunkSettings(
        model.chunkMicros(),
        model.framesPerChunk(),
        model.allowedLatenessMicros(),
        model.maxGapMicros(),
        model.maxClockJumpMicros());
  }

  /** The turns that a frame brings about. */
  List<Turn> frame(StreamState stream, FrameRecord record, Picture picture, long timestamp) {
    SourcedFrame payload =
        new SourcedFrame(picture.frame(), record.origin(), record.arrivalMillis());
    return turns(
        stream,
        stream.assembler.offer(payload.frame(picture.sequence(), picture.captureMicros())),
        timestamp);
  }

  /** What was open, and the end. */
  List<Turn> end(StreamState stream, FrameRecord record, End end, long timestamp) {
    List<Turn> turns = turns(stream, stream.assembler.finish(), timestamp);
    turns.add(
        new EndTurn(
            Optional.of(record.origin()),
            end.sequence(),
            "",
            record.arrivalMillis(),
            stream.assembler.unreported(),
            timestamp,
            clock.getCurrentProcessingTime()));
    return turns;
  }

  /** The same for a stream that is forgotten without such a record. */
  List<Turn> forget(StreamState stream, String reason) {
    List<Turn> turns = turns(stream, stream.assembler.finish(), Turn.NO_TIMESTAMP);
    turns.add(
        new EndTurn(
            stream.lastFrame,
            /* sequence= */ -1,
            reason,
            EventHeaders.ABSENT,
            stream.assembler.unreported(),
            Turn.NO_TIMESTAMP,
            clock.getCurrentProcessingTime()));
    return turns;
  }

  /** A command, behind all chunks that are closed. */
  CommandTurn command(
      Optional<StreamState> found, FrameRecord record, Command command, long timestamp) {
    return new CommandTurn(
        command,
        record.origin(),
        found.isEmpty(),
        found.map(stream -> stream.assembler.beganMicros()).orElse(0L),
        found.flatMap(stream -> stream.lastFrame),
        record.arrivalMillis(),
        timestamp,
        clock.getCurrentProcessingTime());
  }

  /**
   * Pictures that could not be used go out once each, however many grid points they were to serve.
   */
  Set<Frame<SourcedFrame>> badFrames(StreamState stream, ChunkTurn turn, RoundResult result) {
    Set<Frame<SourcedFrame>> bad = Collections.newSetFromMap(new IdentityHashMap<>());
    for (BadFrame one : result.badFrames()) {
      Frame<SourcedFrame> frame = turn.chunk().frames().get(one.index());
      if (bad.add(frame)) {
        outlet.deadLetter(
            one.reason().name(),
            DeadLetters.of(
                stream.key.streamId(), frame, one.reason(), one.detail(), turn.chunk().index()),
            turn.timestamp());
      }
    }
    return bad;
  }

  private List<Turn> turns(
      StreamState stream, List<Assembled<SourcedFrame>> closed, long timestamp) {
    long now = clock.getCurrentProcessingTime();
    List<Turn> turns = new ArrayList<>();
    for (Assembled<SourcedFrame> assembled : closed) {
      assembled
          .<Optional<Turn>>match(
              chunk -> Optional.of(new ChunkTurn(chunk, timestamp, now)),
              gap -> Optional.of(new GapTurn(gap, timestamp, now)),
              dead -> {
                outlet.deadLetter(
                    dead.reason().name(), DeadLetters.of(stream.key.streamId(), dead), timestamp);
                return Optional.empty();
              })
          .ifPresent(turns::add);
    }
    return turns;
  }
}

// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.flink;

import io.everwatch.operators.chunk.Assembled.Chunk;
import io.everwatch.operators.chunk.Assembled.Counts;
import io.everwatch.operators.chunk.Assembled.Gap;
import io.everwatch.operators.chunk.Frame;
import io.everwatch.operators.engine.Engine;
import io.everwatch.operators.engine.RoundResult;
import io.everwatch.operators.engine.RoundResult.Timings;
import io.everwatch.operators.flink.Turn.ChunkTurn;
import io.everwatch.operators.flink.Turn.CommandTurn;
import io.everwatch.operators.flink.Turn.EndTurn;
import io.everwatch.operators.flink.Turn.GapTurn;
import io.everwatch.operators.model.StreamSettings;
import io.everwatch.schemas.EventHeaders;
import io.everwatch.schemas.WireFormat;
import io.everwatch.schemas.avro.FrameCounts;
import io.everwatch.schemas.avro.MemoryFigures;
import io.everwatch.schemas.avro.MergedRange;
import io.everwatch.schemas.avro.SkippedRange;
import io.everwatch.schemas.avro.SourceRange;
import io.everwatch.schemas.avro.StopReason;
import io.everwatch.schemas.avro.TextEvent;
import io.everwatch.schemas.avro.TextKind;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Collection;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Makes text events, and counts them. Values hold nothing of a clock; times go into the headers.
 */
final class EventBuilder {
  private static final int DIGEST_DIGITS = 16;

  private final String modelDigest;
  private final int maxTextBytes;
  private final long startedMillis;
  private final OperatorMetrics metrics;

  /**
   * @param startedMillis when this subtask was started; processing time
   */
  EventBuilder(Engine engine, int maxTextBytes, long startedMillis, OperatorMetrics metrics) {
    modelDigest = shortened(engine.modelDigest());
    this.maxTextBytes = maxTextBytes;
    this.startedMillis = startedMillis;
    this.metrics = metrics;
  }

  /**
   * What the engine said of a chunk: COMMENT, SILENCE or ERROR.
   *
   * @param merged those that its round took up, if it was not alone
   * @param memory after its round; empty: none was made, or a later chunk's event has it
   */
  TextRecord answered(
      StreamState stream,
      ChunkTurn turn,
      RoundResult result,
      Collection<Frame<SourcedFrame>> badFrames,
      Optional<MergedChunks> merged,
      Optional<MemoryFigures> memory) {
    Chunk<SourcedFrame> chunk = turn.chunk();
    TextEvent.Builder event =
        common(stream)
            .setChunk(chunk.index())
            .setStartMicros(chunk.startMicros())
            .setEndMicros(chunk.endMicros())
            .setRound(result.round())
            .setFirstSequence(chunk.firstSequence())
            .setLastSequence(chunk.lastSequence())
            .setFrames(counts(chunk.counts(), badFrames.size()))
            .setSources(SkippedRun.sources(chunk.frames()))
            .setClockReset(chunk.clockReset());
    merged.ifPresent(range -> event.setMerged(new MergedRange(range.first(), range.last())));
    memory.ifPresent(event::setMemory);
    result
        .outcome()
        .match(
            spoke ->
                event
                    .setKind(TextKind.COMMENT)
                    .setText(Texts.bounded(spoke.text(), maxTextBytes))
                    .setTokenCount(spoke.tokens())
                    .setStopReason(stop(spoke.stop())),
            silent ->
                event
                    .setKind(TextKind.SILENCE)
                    .setTokenCount(silent.tokens())
                    .setStopReason(stop(silent.stop())),
            failed ->
                event
                    .setKind(TextKind.ERROR)
                    .setText(Texts.bounded(failed.reason(), maxTextBytes)));
    return record(stream, event, times(turn, result.timings()));
  }

  /** One event for all chunks of a gap. */
  TextRecord gap(StreamState stream, GapTurn turn) {
    Gap<SourcedFrame> gap = turn.gap();
    TextEvent.Builder event =
        common(stream)
            .setKind(TextKind.GAP)
            .setChunk(gap.first())
            .setStartMicros(gap.startMicros())
            .setEndMicros(gap.endMicros())
            .setFrames(counts(gap.counts(), 0))
            .setSkipped(
                SkippedRange.newBuilder()
                    .setFirstChunk(gap.first())
                    .setLastChunk(gap.last())
                    .setReason("no frames")
                    .build());
    return record(stream, event, closedAt(turn, EventHeaders.ABSENT));
  }

  /**
   * One event for all chunks of a run that was skipped.
   *
   * @param turn the one that shows that the run is over
   */
  TextRecord skipped(StreamState stream, SkippedRun run, Turn turn) {
    TextEvent.Builder event =
        common(stream)
            .setKind(TextKind.GAP)
            .setChunk(run.firstChunk())
            .setStartMicros(run.startMicros())
            .setEndMicros(run.endMicros())
            .setFirstSequence(run.firstSequence())
            .setLastSequence(run.lastSequence())
            .setFrames(counts(run.counts(), run.counts().used())) // none was used
            .setSources(run.sources())
            .setClockReset(run.clockReset())
            .setSkipped(
                SkippedRange.newBuilder()
                    .setFirstChunk(run.firstChunk())
                    .setLastChunk(run.lastChunk())
                    .setReason(run.reason())
                    .build());
    return record(stream, event, closedAt(turn, EventHeaders.ABSENT));
  }

  /**
   * The answer to a command. Names the chunk before which it took effect, and as its sources the
   * command's own record and the newest frame record that the stream had taken before it: who runs
   * the stream again puts the command there.
   */
  TextRecord notice(StreamState stream, CommandTurn turn, String text) {
    TextEvent.Builder event =
        common(stream)
            .setMarks(List.of()) // and no commands: both are for the event of a chunk
            .setAppliedCommands(List.of())
            .setBeganMicros(turn.beganMicros()) // a first frame may have come since
            .setKind(TextKind.NOTICE)
            .setSubject(turn.command().id())
            .setChunk(stream.nextChunk)
            .setStartMicros(stream.endMicros)
            .setEndMicros(stream.endMicros)
            .setText(Texts.bounded(text, maxTextBytes))
            .setSources(
                Stream.concat(Stream.of(turn.origin()), turn.afterFrame().stream())
                    .map(EventBuilder::source)
                    .toList());
    return record(stream, event, closedAt(turn, turn.arrivalMillis()));
  }

  /** The stream has ended; names the chunk after its last. */
  TextRecord ended(StreamState stream, EndTurn turn) {
    TextEvent.Builder event =
        common(stream)
            .setKind(TextKind.ENDED)
            .setSubject("ended")
            .setChunk(stream.nextChunk)
            .setStartMicros(stream.endMicros)
            .setEndMicros(stream.endMicros)
            .setLastSequence(turn.sequence())
            .setFrames(counts(turn.tail(), 0))
            .setText(turn.reason())
            .setSources(turn.origin().map(EventBuilder::source).stream().toList());
    return record(stream, event, closedAt(turn, turn.arrivalMillis()));
  }

  /**
   * Nothing has come of the stream for long. Names the chunk that would be closed next and the
   * newest capture time; tells of no frame, and takes no marks and no commands from the next event.
   */
  TextRecord stale(StreamState stream, String text, long nowMillis) {
    TextEvent.Builder event =
        common(stream)
            .setMarks(List.of())
            .setAppliedCommands(List.of())
            .setKind(TextKind.STALE)
            .setSubject("stale")
            .setChunk(stream.assembler.nextChunk())
            .setStartMicros(stream.assembler.clockMicros())
            .setEndMicros(stream.assembler.clockMicros())
            .setText(text);
    return record(stream, event, closedAt(nowMillis, EventHeaders.ABSENT));
  }

  private static SourceRange source(Origin origin) {
    return new SourceRange(origin.topic(), origin.partition(), origin.offset(), origin.offset());
  }

  private TextEvent.Builder common(StreamState stream) {
    return WireFormat.newTextEvent()
        .setStreamId(stream.key.streamId())
        .setBeganMicros(stream.assembler.beganMicros())
        .setAppliedCommands(stream.orders.applied())
        .setMarks(List.copyOf(stream.marks)) // in the order of the enum: it is an EnumSet
        .setPromptDigest(stream.promptDigest)
        .setModelDigest(modelDigest)
        .setNumericsDigest(shortened(stream.numerics));
  }

  private TextRecord record(StreamState stream, TextEvent.Builder builder, EventHeaders headers) {
    TextEvent event = builder.build();
    metrics.event(event);
    return TextRecord.of(stream.key, WireFormat.encode(event), headers);
  }

  /** A bad picture was used by its chunk in name only: it is in the dead-letter topic. */
  private static FrameCounts counts(Counts counts, int bad) {
    return FrameCounts.newBuilder()
        .setReceived(counts.received())
        .setUsed(counts.used() - bad)
        .setSurplus(counts.surplus())
        .setDuplicate(counts.duplicate())
        .setMissing(counts.missing() + bad)
        .build();
  }

  private static StopReason stop(RoundResult.StopReason stop) {
    return switch (stop) {
      case END_OF_TURN -> StopReason.END_OF_TURN;
      case MAX_NEW_TOKENS -> StopReason.MAX_NEW_TOKENS;
    };
  }

  private EventHeaders times(ChunkTurn turn, Timings timings) {
    long lastCapture = EventHeaders.ABSENT;
    long arrival = EventHeaders.ABSENT;
    for (Frame<SourcedFrame> frame : turn.chunk().frames()) {
      lastCapture = Math.max(lastCapture, Math.floorDiv(frame.captureMicros(), 1000L));
      arrival = Math.max(arrival, frame.payload().arrivalMillis());
    }
    return new EventHeaders(
        lastCapture,
        arrival,
        turn.closedMillis(),
        timings.prefilledMillis(),
        timings.firstTokenMillis(),
        timings.doneMillis(),
        startedMillis);
  }

  private EventHeaders closedAt(Turn turn, long arrivalMillis) {
    return closedAt(turn.closedMillis(), arrivalMillis);
  }

  private EventHeaders closedAt(long closedMillis, long arrivalMillis) {
    return new EventHeaders(
        EventHeaders.ABSENT,
        arrivalMillis,
        closedMillis,
        EventHeaders.ABSENT,
        EventHeaders.ABSENT,
        EventHeaders.ABSENT,
        startedMillis);
  }

  /** Digest of the standing text and of its place, as events carry it. */
  static String promptDigest(StreamSettings settings) {
    String prompt = settings.queryPlacement() + "\n" + settings.instruction();
    try {
      byte[] digest =
          MessageDigest.getInstance("SHA-256").digest(prompt.getBytes(StandardCharsets.UTF_8));
      return shortened(HexFormat.of().formatHex(digest));
    } catch (NoSuchAlgorithmException impossible) { // each Java has it
      throw new IllegalStateException(impossible);
    }
  }

  private static String shortened(String digest) {
    return digest.substring(0, Math.min(DIGEST_DIGITS, digest.length()));
  }
}

// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.offline;

import io.everwatch.operators.chunk.Assembled;
import io.everwatch.operators.chunk.Assembled.Counts;
import io.everwatch.operators.engine.Engine;
import io.everwatch.operators.engine.RoundResult;
import io.everwatch.schemas.WireFormat;
import io.everwatch.schemas.avro.FrameCounts;
import io.everwatch.schemas.avro.SkippedRange;
import io.everwatch.schemas.avro.StopReason;
import io.everwatch.schemas.avro.TextEvent;
import io.everwatch.schemas.avro.TextKind;

/** What the job would say of a file's chunks; without Kafka there are no source offsets. */
final class CaptionEvents {
  private static final int DIGEST_DIGITS = 16;

  static {
    WireFormat.trustGeneratedClasses();
  }

  private final String streamId;
  private final String modelDigest;
  private final String numericsDigest;
  private long beganMicros;

  CaptionEvents(String streamId, Engine engine) {
    this.streamId = streamId;
    this.modelDigest = shortened(engine.modelDigest());
    this.numericsDigest = shortened(engine.numericsIdentity());
  }

  private static String shortened(String digest) {
    return digest.substring(0, Math.min(DIGEST_DIGITS, digest.length()));
  }

  TextEvent of(Assembled.Chunk<?> chunk, RoundResult result) {
    TextEvent.Builder event =
        event(chunk.index(), chunk.startMicros(), chunk.endMicros(), chunk.counts())
            .setRound(result.round())
            .setFirstSequence(chunk.firstSequence())
            .setLastSequence(chunk.lastSequence())
            .setClockReset(chunk.clockReset());
    return result
        .outcome()
        .match(
            spoke ->
                event
                    .setKind(TextKind.COMMENT)
                    .setText(spoke.text())
                    .setTokenCount(spoke.tokens())
                    .setStopReason(stop(spoke.stop())),
            silent ->
                event
                    .setKind(TextKind.SILENCE)
                    .setTokenCount(silent.tokens())
                    .setStopReason(stop(silent.stop())),
            failed -> event.setKind(TextKind.ERROR).setText(failed.reason()))
        .build();
  }

  TextEvent of(Assembled.Gap<?> gap) {
    return event(gap.first(), gap.startMicros(), gap.endMicros(), gap.counts())
        .setKind(TextKind.GAP)
        .setSkipped(
            SkippedRange.newBuilder().setFirstChunk(gap.first()).setLastChunk(gap.last()).build())
        .build();
  }

  private TextEvent.Builder event(long chunk, long startMicros, long endMicros, Counts counts) {
    if (chunk == 0) {
      beganMicros = startMicros;
    }
    return WireFormat.newTextEvent()
        .setStreamId(streamId)
        .setBeganMicros(beganMicros)
        .setChunk(chunk)
        .setStartMicros(startMicros)
        .setEndMicros(endMicros)
        .setFrames(
            FrameCounts.newBuilder()
                .setReceived(counts.received())
                .setUsed(counts.used())
                .setSurplus(counts.surplus())
                .setDuplicate(counts.duplicate())
                .setMissing(counts.missing())
                .build())
        .setModelDigest(modelDigest)
        .setNumericsDigest(numericsDigest);
  }

  private static StopReason stop(RoundResult.StopReason reason) {
    return switch (reason) {
      case END_OF_TURN -> StopReason.END_OF_TURN;
      case MAX_NEW_TOKENS -> StopReason.MAX_NEW_TOKENS;
    };
  }
}

// SPDX-License-Identifier: Apache-2.0
package io.everwatch.schemas;

import io.everwatch.schemas.avro.CommandEvent;
import io.everwatch.schemas.avro.CommandKind;
import io.everwatch.schemas.avro.DeadLetter;
import io.everwatch.schemas.avro.FrameCounts;
import io.everwatch.schemas.avro.FrameEncoding;
import io.everwatch.schemas.avro.FrameEvent;
import io.everwatch.schemas.avro.Mark;
import io.everwatch.schemas.avro.MemoryFigures;
import io.everwatch.schemas.avro.SkippedRange;
import io.everwatch.schemas.avro.SourceRange;
import io.everwatch.schemas.avro.StopReason;
import io.everwatch.schemas.avro.TextEvent;
import io.everwatch.schemas.avro.TextKind;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Map;

/** Records with every field set. */
final class Samples {
  static FrameEvent frame() {
    return FrameEvent.newBuilder()
        .setStreamId("cam-1")
        .setSequence(41)
        .setCaptureMicros(1_700_000_000_000_000L)
        .setEncoding(FrameEncoding.PNG)
        .setWidth(2)
        .setHeight(3)
        .setBytes(ByteBuffer.wrap(new byte[] {1, 2, 3}))
        .setEndOfStream(false)
        .build();
  }

  static TextEvent text(String streamId, long chunk, String text) {
    return TextEvent.newBuilder()
        .setStreamId(streamId)
        .setBeganMicros(6)
        .setChunk(chunk)
        .setKind(TextKind.COMMENT)
        .setStartMicros(7)
        .setEndMicros(8)
        .setRound(5)
        .setFirstSequence(1)
        .setLastSequence(2)
        .setFrames(
            FrameCounts.newBuilder()
                .setReceived(4)
                .setUsed(2)
                .setSurplus(1)
                .setDuplicate(1)
                .setMissing(0)
                .build())
        .setSources(
            List.of(
                SourceRange.newBuilder()
                    .setTopic("frames")
                    .setPartition(3)
                    .setFirstOffset(10)
                    .setLastOffset(13)
                    .build()))
        .setText(text)
        .setTokenCount(9)
        .setStopReason(StopReason.END_OF_TURN)
        .setAppliedCommands(List.of("c-1"))
        .setSkipped(
            SkippedRange.newBuilder()
                .setFirstChunk(1)
                .setLastChunk(2)
                .setReason("overload")
                .build())
        .setClockReset(true)
        .setMarks(List.of(Mark.REBUILT))
        .setPromptDigest("0123456789abcdef")
        .setModelDigest("0123456789abcdef")
        .setNumericsDigest("0123456789abcdef")
        .setMemory(
            MemoryFigures.newBuilder()
                .setVisionRows(1)
                .setGeneratedRows(2)
                .setContextRows(3)
                .setRestRows(4)
                .setSinkRows(2)
                .setContextFull(true)
                .setPosition(9)
                .setComputedRows(1L << 40)
                .setCountedFromRound(3)
                .setSink("first")
                .setWindow("last")
                .build())
        .build();
  }

  static DeadLetter deadLetter() {
    return DeadLetter.newBuilder()
        .setTopic("frames")
        .setPartition(1)
        .setOffset(2)
        .setKey(ByteBuffer.wrap(new byte[] {9}))
        .setReason("TRUNCATED")
        .setDetail("ends after 12 bytes")
        .setStreamId("cam-1")
        .setSequence(3)
        .setCaptureMicros(4)
        .setChunk(5)
        .setOriginal(ByteBuffer.wrap(new byte[] {1}))
        .setOriginalSize(100)
        .build();
  }

  static CommandEvent command() {
    return CommandEvent.newBuilder()
        .setCommandId("c-1")
        .setStreamId("cam-1")
        .setKind(CommandKind.SET)
        .setSettings(Map.of("temperature", "0.5"))
        .setText("watch the gate")
        .setIssuedMicros(7)
        .build();
  }

  private Samples() {}
}

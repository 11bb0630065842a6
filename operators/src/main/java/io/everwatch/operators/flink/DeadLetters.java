// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.flink;

import io.everwatch.operators.chunk.Assembled.DeadFrame;
import io.everwatch.operators.chunk.Frame;
import io.everwatch.operators.flink.FrameRecord.Unusable;
import io.everwatch.operators.model.BadFrameException;
import io.everwatch.schemas.WireFormat;
import io.everwatch.schemas.avro.DeadLetter;
import java.nio.ByteBuffer;
import java.util.Arrays;
import org.apache.flink.util.OutputTag;
import org.jspecify.annotations.Nullable;

/** Makes the records of the dead-letter topic. */
public final class DeadLetters {
  /** Where the operator puts them. */
  public static final OutputTag<DeadLetterRecord> TAG =
      new OutputTag<>("dead-letters", DeadLetterRecord.TYPE);

  /** Of the original at most so much is kept: enough to see what it is. */
  public static final int MAX_ORIGINAL_BYTES = 64 << 10;

  private static final int MAX_DETAIL_BYTES = 4 << 10;

  /** Key and value: the original, its key twice, the detail, and what is around them. */
  public static final int MAX_RECORD_BYTES = 3 * MAX_ORIGINAL_BYTES + MAX_DETAIL_BYTES + (4 << 10);

  private DeadLetters() {}

  static DeadLetterRecord of(Origin origin, Unusable unusable) {
    return record(
        origin,
        WireFormat.newDeadLetter()
            .setReason(unusable.reason())
            .setDetail(unusable.detail())
            .setStreamId(unusable.streamId())
            .setSequence(unusable.sequence())
            .setCaptureMicros(unusable.captureMicros())
            .setOriginal(ByteBuffer.wrap(unusable.original()))
            .setOriginalSize(unusable.originalSize()));
  }

  /** A frame that no chunk took. */
  static DeadLetterRecord of(String streamId, DeadFrame<SourcedFrame> dead) {
    return of(streamId, dead.frame(), dead.reason().name(), dead.detail(), -1);
  }

  /** A frame whose picture cannot be used. */
  static DeadLetterRecord of(
      String streamId,
      Frame<SourcedFrame> frame,
      BadFrameException.Reason reason,
      String detail,
      long chunk) {
    return of(streamId, frame, reason.name(), detail, chunk);
  }

  private static DeadLetterRecord of(
      String streamId, Frame<SourcedFrame> frame, String reason, String detail, long chunk) {
    byte[] picture = frame.payload().picture().bytes();
    return record(
        frame.payload().origin(),
        WireFormat.newDeadLetter()
            .setReason(reason)
            .setDetail(detail)
            .setStreamId(streamId)
            .setSequence(frame.sequence())
            .setCaptureMicros(frame.captureMicros())
            .setChunk(chunk)
            .setOriginal(ByteBuffer.wrap(picture, 0, Math.min(picture.length, MAX_ORIGINAL_BYTES)))
            .setOriginalSize(picture.length));
  }

  private static DeadLetterRecord record(Origin origin, DeadLetter.Builder letter) {
    byte[] key = bounded(origin.key());
    String streamId = letter.getStreamId();
    letter
        .setTopic(origin.topic())
        .setPartition(origin.partition())
        .setOffset(origin.offset())
        .setKey(key == null ? null : ByteBuffer.wrap(key))
        .setStreamId(
            streamId == null
                ? null
                : Texts.bounded(streamId, FrameRecordReader.MAX_STREAM_ID_BYTES))
        .setDetail(Texts.bounded(letter.getDetail(), MAX_DETAIL_BYTES));
    return new DeadLetterRecord(key, WireFormat.encode(letter.build()));
  }

  /**
   * A letter that is longer than its topic takes would stop the job, and once more after each
   * restart: nothing in it may be as long as the sender likes.
   */
  private static byte @Nullable [] bounded(byte @Nullable [] key) {
    return key == null || key.length <= MAX_ORIGINAL_BYTES
        ? key
        : Arrays.copyOf(key, MAX_ORIGINAL_BYTES);
  }
}

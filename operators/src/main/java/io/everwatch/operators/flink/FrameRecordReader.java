// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.flink;

import io.everwatch.operators.flink.FrameRecord.Content;
import io.everwatch.operators.flink.FrameRecord.End;
import io.everwatch.operators.flink.FrameRecord.Picture;
import io.everwatch.operators.flink.FrameRecord.Unusable;
import io.everwatch.operators.model.EncodedFrame;
import io.everwatch.operators.model.EncodedFrame.Encoding;
import io.everwatch.schemas.WireFormat;
import io.everwatch.schemas.WireFormatException;
import io.everwatch.schemas.avro.FrameEvent;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;

/**
 * Reads the frames topic.
 *
 * @param maxBytes longest record value that is decoded
 * @param spreads gives each stream its key
 */
public record FrameRecordReader(int maxBytes, SpreadRegistry spreads) implements RecordReader {
  /** Longest stream ID, bytes of UTF-8: it is part of each key and each event. */
  public static final int MAX_STREAM_ID_BYTES = 512;

  static final String BAD_STREAM_ID = "BAD_STREAM_ID";
  private static final String UNKNOWN_ENCODING = "UNKNOWN_ENCODING";

  /** Of dead letters, besides those of {@link WireFormatException.Reason}. */
  static final List<String> REASONS = List.of(BAD_STREAM_ID, UNKNOWN_ENCODING);

  /** Reads what the frames topic may carry, without a registry of spreads. */
  public FrameRecordReader() {
    this(WireFormat.MAX_RECORD_BYTES, SpreadRegistry.NONE);
  }

  @Override
  public FrameRecord decode(Origin origin, byte[] value, long arrivalMillis)
      throws WireFormatException {
    FrameEvent event = WireFormat.decodeFrame(value, maxBytes);
    Content content =
        fault(event)
            .<Content>map(fault -> unusable(fault, event, value))
            .orElseGet(() -> content(event));
    return new FrameRecord(spreads.key(event.getStreamId()), origin, arrivalMillis, content);
  }

  private record Fault(String reason, String detail) {}

  private static Optional<Fault> fault(FrameEvent event) {
    int idBytes = event.getStreamId().getBytes(StandardCharsets.UTF_8).length;
    if (idBytes == 0 || idBytes > MAX_STREAM_ID_BYTES) {
      return Optional.of(
          new Fault(
              BAD_STREAM_ID,
              "a stream ID of %d bytes; expected 1 to %d; give each camera a short name"
                  .formatted(idBytes, MAX_STREAM_ID_BYTES)));
    }
    if (event.getEndOfStream()) {
      return Optional.empty();
    }
    if (encoding(event).isEmpty()) {
      return Optional.of(
          new Fault(
              UNKNOWN_ENCODING,
              "a picture in an encoding unknown to this release; expected JPEG, PNG or RGB24;"
                  + " upgrade the job before the producer"));
    }
    return Optional.empty();
  }

  private static Content content(FrameEvent event) {
    if (event.getEndOfStream()) {
      return new End(event.getSequence());
    }
    EncodedFrame frame =
        new EncodedFrame(
            encoding(event).orElseThrow(),
            event.getWidth(),
            event.getHeight(),
            bytes(event.getBytes()));
    return new Picture(event.getSequence(), event.getCaptureMicros(), frame);
  }

  private static Optional<Encoding> encoding(FrameEvent event) {
    return switch (event.getEncoding()) {
      case JPEG -> Optional.of(Encoding.JPEG);
      case PNG -> Optional.of(Encoding.PNG);
      case RGB24 -> Optional.of(Encoding.RGB24);
      case UNKNOWN -> Optional.empty();
    };
  }

  private static Unusable unusable(Fault fault, FrameEvent event, byte[] bytes) {
    return Unusable.of(
        fault.reason,
        fault.detail,
        event.getStreamId(),
        event.getSequence(),
        event.getCaptureMicros(),
        bytes);
  }

  private static byte[] bytes(ByteBuffer buffer) {
    byte[] bytes = new byte[buffer.remaining()];
    buffer.duplicate().get(bytes);
    return bytes;
  }
}

// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.flink;

import io.everwatch.operators.flink.Command.Kind;
import io.everwatch.operators.flink.FrameRecord.Content;
import io.everwatch.operators.flink.FrameRecord.Unusable;
import io.everwatch.schemas.WireFormat;
import io.everwatch.schemas.WireFormatException;
import io.everwatch.schemas.avro.CommandEvent;
import java.io.Serializable;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Makes a {@link FrameRecord} of a record of the commands topic. Never throws for what the record
 * contains: a source that did would read the same record again for ever. A command that can be read
 * but not obeyed is refused by the stream, with a reason; what is unusable here is what nobody
 * could answer.
 *
 * @param spreads gives each stream its key, the same as for its frames
 */
public record CommandRecordReader(SpreadRegistry spreads) implements Serializable {
  /** Longest record that is decoded: an instruction of the greatest length and some settings. */
  public static final int MAX_BYTES = 64 << 10;

  /** Longest command ID, bytes of UTF-8: a stream remembers some hundred. */
  public static final int MAX_ID_BYTES = 128;

  private static final String BAD_COMMAND_ID = "BAD_COMMAND_ID";
  private static final String UNKNOWN_KIND = "UNKNOWN_KIND";

  /** Of dead letters, besides those of frames. */
  static final List<String> REASONS = List.of(BAD_COMMAND_ID, UNKNOWN_KIND);

  /** What the operator itself says under these subjects could not be told from an answer. */
  private static final Set<String> TAKEN = Set.of("stale", "ended");

  /**
   * One record, whatever it contains.
   *
   * @param key of the record; null: it has none
   * @param value of the record; null: it has none
   * @param arrivalMillis the record's own time
   */
  public FrameRecord read(
      String topic,
      int partition,
      long offset,
      byte @Nullable [] key,
      byte @Nullable [] value,
      long arrivalMillis) {
    Origin origin = new Origin(topic, partition, offset, key);
    byte[] bytes = value == null ? new byte[0] : value;
    try {
      CommandEvent event = WireFormat.decodeCommand(bytes, MAX_BYTES);
      return new FrameRecord(
          spreads.key(event.getStreamId()), origin, arrivalMillis, content(event, bytes));
    } catch (WireFormatException e) {
      Unusable content = unusable(e.reason().name(), String.valueOf(e.getMessage()), null, bytes);
      return new FrameRecord(FrameRecordReader.spreadOf(origin), origin, arrivalMillis, content);
    }
  }

  private static Content content(CommandEvent event, byte[] bytes) {
    String stream = event.getStreamId();
    int streamBytes = size(stream);
    if (streamBytes == 0 || streamBytes > FrameRecordReader.MAX_STREAM_ID_BYTES) {
      return unusable(
          FrameRecordReader.BAD_STREAM_ID,
          "a command for a stream ID of %d bytes; expected 1 to %d; name the stream as its camera does"
              .formatted(streamBytes, FrameRecordReader.MAX_STREAM_ID_BYTES),
          stream,
          bytes);
    }
    int idBytes = size(event.getCommandId());
    if (idBytes == 0 || idBytes > MAX_ID_BYTES || TAKEN.contains(event.getCommandId())) {
      return unusable(
          BAD_COMMAND_ID,
          "a command ID of %d bytes; expected 1 to %d, and not one of %s; take a fresh UUID"
              .formatted(idBytes, MAX_ID_BYTES, TAKEN.stream().sorted().toList()),
          stream,
          bytes);
    }
    return kind(event)
        .<Content>map(
            kind -> new Command(event.getCommandId(), kind, event.getSettings(), event.getText()))
        .orElseGet(
            () ->
                unusable(
                    UNKNOWN_KIND,
                    "a command of a kind unknown to this release; expected one of %s; upgrade the job before the sender"
                        .formatted(Arrays.toString(Kind.values())),
                    stream,
                    bytes));
  }

  private static Optional<Kind> kind(CommandEvent event) {
    return switch (event.getKind()) {
      case START -> Optional.of(Kind.START);
      case STOP -> Optional.of(Kind.STOP);
      case PROMPT -> Optional.of(Kind.PROMPT);
      case RESET -> Optional.of(Kind.RESET);
      case SET -> Optional.of(Kind.SET);
      case UNKNOWN -> Optional.empty();
    };
  }

  private static Unusable unusable(
      String reason, String detail, @Nullable String streamId, byte[] bytes) {
    return new Unusable(
        reason, detail, streamId, -1, 0, FrameRecordReader.bounded(bytes), bytes.length);
  }

  private static int size(String text) {
    return text.getBytes(StandardCharsets.UTF_8).length;
  }
}

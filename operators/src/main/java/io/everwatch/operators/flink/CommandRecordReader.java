// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.flink;

import io.everwatch.operators.flink.Command.Kind;
import io.everwatch.operators.flink.FrameRecord.Content;
import io.everwatch.operators.flink.FrameRecord.Unusable;
import io.everwatch.schemas.WireFormat;
import io.everwatch.schemas.WireFormatException;
import io.everwatch.schemas.avro.CommandEvent;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Reads the commands topic. A command that can be read but not obeyed is refused by the stream,
 * with a reason; what is unusable here is what nobody could answer.
 *
 * @param spreads gives each stream its key, the same as for its frames
 */
public record CommandRecordReader(SpreadRegistry spreads) implements RecordReader {
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

  @Override
  public FrameRecord decode(Origin origin, byte[] value, long arrivalMillis)
      throws WireFormatException {
    CommandEvent event = WireFormat.decodeCommand(value, MAX_BYTES);
    return new FrameRecord(
        spreads.key(event.getStreamId()), origin, arrivalMillis, content(event, value));
  }

  private static Content content(CommandEvent event, byte[] bytes) {
    String stream = event.getStreamId();
    int streamBytes = size(stream);
    if (streamBytes == 0 || streamBytes > FrameRecordReader.MAX_STREAM_ID_BYTES) {
      return Unusable.of(
          FrameRecordReader.BAD_STREAM_ID,
          "a command for a stream ID of %d bytes; expected 1 to %d; name the stream as its camera does"
              .formatted(streamBytes, FrameRecordReader.MAX_STREAM_ID_BYTES),
          stream,
          bytes);
    }
    int idBytes = size(event.getCommandId());
    if (idBytes == 0 || idBytes > MAX_ID_BYTES || TAKEN.contains(event.getCommandId())) {
      return Unusable.of(
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
                Unusable.of(
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

  private static int size(String text) {
    return text.getBytes(StandardCharsets.UTF_8).length;
  }
}

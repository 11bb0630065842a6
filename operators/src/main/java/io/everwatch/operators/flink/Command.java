// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.flink;

import io.everwatch.operators.flink.FrameRecord.Content;
import java.io.IOException;
import java.util.Collections;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;
import org.apache.flink.core.memory.DataInputView;
import org.apache.flink.core.memory.DataOutputView;

/**
 * An order to one stream. {@link CommandRecordReader} makes them.
 *
 * @param id the same ID is obeyed once; subject of the answer
 * @param settings of START and SET, as written
 * @param text of PROMPT
 */
public record Command(String id, Kind kind, Map<String, String> settings, String text)
    implements Content {
  /** What is ordered. Persisted by name. */
  public enum Kind {
    START,
    STOP,
    PROMPT,
    RESET,
    SET
  }

  public Command {
    settings = Collections.unmodifiableMap(new TreeMap<>(settings)); // stored in one order
  }

  @Override
  public <R> R match(
      Function<FrameRecord.Picture, R> picture,
      Function<FrameRecord.End, R> end,
      Function<Command, R> command,
      Function<FrameRecord.Unusable, R> unusable) {
    return command.apply(this);
  }

  static void write(Command command, DataOutputView out) throws IOException {
    Fields.writeString(command.id, out);
    Fields.writeString(command.kind.name(), out);
    Fields.writeMap(command.settings, out);
    Fields.writeString(command.text, out);
  }

  static Command read(DataInputView in) throws IOException {
    return new Command(
        Fields.readString(in),
        Kind.valueOf(Fields.readString(in)),
        Fields.readMap(in),
        Fields.readString(in));
  }
}

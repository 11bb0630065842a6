// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.flink;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.apache.flink.core.memory.DataInputView;
import org.apache.flink.core.memory.DataOutputView;
import org.jspecify.annotations.Nullable;

/**
 * What commands have made of a stream. Stored with it; ends with it.
 *
 * @param stoppedBy ID of the command that stopped it; empty: it runs
 * @param instruction in the place of the model's; null: the model's
 * @param sampling settings in the place of the model's, checked, by key
 * @param fps in the place of the job's, as written; empty: the job's. The grid itself changes where
 *     chunks are assembled; here is what was ordered
 * @param overload mode in the place of the job's
 * @param seen IDs of the last {@link #REMEMBERED} commands, oldest first
 * @param applied IDs of commands that took effect since the last chunk; for the next one's event
 * @param skippedMicros video since the last round that was skipped, for whatever reason
 */
record StreamOrders(
    String stoppedBy,
    @Nullable String instruction,
    Map<String, String> sampling,
    String fps,
    Optional<OverloadMode> overload,
    List<String> seen,
    List<String> applied,
    long skippedMicros) {
  /** Command IDs that a stream remembers, and commands that may come between two of its chunks. */
  static final int REMEMBERED = 256;

  static final StreamOrders NONE =
      new StreamOrders(
          "", null, Map.of(), "", Optional.empty(), List.of(), List.of(), /* skippedMicros= */ 0);

  StreamOrders {
    sampling = Collections.unmodifiableMap(new TreeMap<>(sampling)); // stored in one order
    seen = List.copyOf(seen);
    applied = List.copyOf(applied);
  }

  boolean stopped() {
    return !stoppedBy.isEmpty();
  }

  StreamOrders withStoppedBy(String command) {
    return new StreamOrders(
        command, instruction, sampling, fps, overload, seen, applied, skippedMicros);
  }

  StreamOrders withInstruction(String text) {
    return new StreamOrders(stoppedBy, text, sampling, fps, overload, seen, applied, skippedMicros);
  }

  /** Changes on top of those before. */
  StreamOrders with(OrderedSettings changes) {
    Map<String, String> all = new TreeMap<>(sampling);
    all.putAll(changes.sampling());
    return new StreamOrders(
        stoppedBy,
        instruction,
        all,
        changes.fps().orElse(fps),
        changes.overload().or(() -> overload),
        seen,
        applied,
        skippedMicros);
  }

  StreamOrders withSeen(String command) {
    List<String> all = new ArrayList<>(seen);
    all.add(command);
    List<String> last = all.subList(Math.max(0, all.size() - REMEMBERED), all.size());
    return new StreamOrders(
        stoppedBy, instruction, sampling, fps, overload, last, applied, skippedMicros);
  }

  StreamOrders withApplied(String command) {
    List<String> all = new ArrayList<>(applied);
    all.add(command);
    return withApplied(all);
  }

  /** Those that took effect have been named. */
  StreamOrders named() {
    return applied.isEmpty() ? this : withApplied(List.of());
  }

  private StreamOrders withApplied(List<String> commands) {
    return new StreamOrders(
        stoppedBy, instruction, sampling, fps, overload, seen, commands, skippedMicros);
  }

  StreamOrders withSkippedMicros(long micros) {
    return micros == skippedMicros
        ? this
        : new StreamOrders(stoppedBy, instruction, sampling, fps, overload, seen, applied, micros);
  }

  static void write(StreamOrders orders, DataOutputView out) throws IOException {
    Fields.writeString(orders.stoppedBy, out);
    out.writeBoolean(orders.instruction != null);
    Fields.writeString(orders.instruction == null ? "" : orders.instruction, out);
    Fields.writeMap(orders.sampling, out);
    Fields.writeString(orders.fps, out);
    Fields.writeString(orders.overload.map(Enum::name).orElse(""), out);
    Fields.writeList(orders.seen, Fields::writeString, out);
    Fields.writeList(orders.applied, Fields::writeString, out);
    out.writeLong(orders.skippedMicros);
  }

  /**
   * Reads orders.
   *
   * @param early in the layout without fps and overload
   */
  static StreamOrders read(DataInputView in, boolean early) throws IOException {
    String stoppedBy = Fields.readString(in);
    boolean instructed = in.readBoolean();
    String instruction = Fields.readString(in);
    return new StreamOrders(
        stoppedBy,
        instructed ? instruction : null,
        Fields.readMap(in),
        early ? "" : Fields.readString(in),
        early ? Optional.empty() : overload(Fields.readString(in)),
        Fields.readList(Fields::readString, in),
        Fields.readList(Fields::readString, in),
        in.readLong());
  }

  private static Optional<OverloadMode> overload(String name) {
    return name.isEmpty() ? Optional.empty() : Optional.of(OverloadMode.valueOf(name));
  }
}

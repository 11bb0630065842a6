// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.flink;

import io.everwatch.operators.model.StreamSettings;
import java.lang.reflect.RecordComponent;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;

/**
 * Settings belong to a stream's memory: a restored stream keeps its own, whatever the job's are.
 */
final class KeptSettings {
  /** Of chunk assembly, which takes them from the job. */
  private static final Set<String> OF_THE_JOB =
      Set.of("allowedLatenessMicros", "maxGapMicros", "maxClockJumpMicros");

  /** Of a value at most so much is shown, bytes. */
  private static final int SHOWN = 200;

  private KeptSettings() {}

  /** Names and values of the settings that are not the job's; empty when all are. */
  static Optional<String> differing(StreamSettings own, StreamSettings job) {
    List<String> names = new ArrayList<>();
    for (RecordComponent setting : StreamSettings.class.getRecordComponents()) {
      Object kept = value(setting, own);
      Object other = value(setting, job);
      if (!kept.equals(other) && !OF_THE_JOB.contains(setting.getName())) {
        names.add("%s %s (job: %s)".formatted(setting.getName(), shown(kept), shown(other)));
      }
    }
    return names.isEmpty() ? Optional.empty() : Optional.of(String.join(", ", names));
  }

  private static Object value(RecordComponent setting, StreamSettings settings) {
    try {
      return Objects.requireNonNull(setting.getAccessor().invoke(settings));
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException("a record's accessors are public and do not fail", e);
    }
  }

  private static String shown(Object value) {
    return value instanceof String text
        ? "'" + Texts.bounded(text, SHOWN) + "'"
        : String.valueOf(value);
  }
}

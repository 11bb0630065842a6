// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.audit;

import io.everwatch.job.audit.Violation.Kind;
import io.everwatch.schemas.WireFormatException;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Consumer;

/**
 * Checks the committed reading of a text topic: of each stream every chunk explained once, in
 * order, on its grid, with counts that add up. Takes the records partition by partition in the
 * order of their offsets. Keeps per stream its last {@link RecentEvents#CAPACITY} identities, its
 * lives, and the chunks with unusable pictures.
 */
public final class TextAudit {
  private final String topic;
  private final Set<Integer> truncated;
  private final Set<String> only;
  private final boolean repeatsAllowed;
  private final Consumer<Violation> violations;
  private final Map<String, StreamAudit> streams = new TreeMap<>();
  private final Map<Integer, Long> next = new HashMap<>();
  private long events;

  /**
   * An audit that has seen nothing.
   *
   * @param truncated partitions whose oldest records retention has removed: streams there may begin
   *     in the middle
   * @param only the streams to check; empty = all
   * @param repeatsAllowed the topic is written at least once: an event may stand there again with
   *     the same bytes
   * @param violations hears of each, as it is found
   */
  public TextAudit(
      String topic,
      Set<Integer> truncated,
      Set<String> only,
      boolean repeatsAllowed,
      Consumer<Violation> violations) {
    this.topic = topic;
    this.truncated = Set.copyOf(truncated);
    this.only = Set.copyOf(only);
    this.repeatsAllowed = repeatsAllowed;
    this.violations = violations;
  }

  /**
   * The next record of a partition.
   *
   * @throws IllegalArgumentException when the offset is not after those before
   */
  public void accept(int partition, long offset, byte[] value) {
    long expected = next.getOrDefault(partition, 0L);
    if (offset < expected) {
      throw new IllegalArgumentException(
          "offset %d of partition %d after %d; expected increasing offsets"
              .formatted(offset, partition, expected - 1));
    }
    next.put(partition, offset + 1);
    StoredText text;
    try {
      text = StoredText.of(value, partition, offset);
    } catch (WireFormatException e) {
      violations.accept(
          new Violation(
              Kind.UNREADABLE,
              "",
              -1,
              topic,
              partition,
              offset,
              e.getMessage() + "; expected nothing but text events of this release"));
      return;
    }
    String streamId = text.event().getStreamId();
    if (!only.isEmpty() && !only.contains(streamId)) {
      return;
    }
    events++;
    streams
        .computeIfAbsent(
            streamId,
            id -> new StreamAudit(!truncated.contains(partition), repeatsAllowed, this::report))
        .accept(text);
  }

  private void report(Kind kind, StoredText at, String detail) {
    violations.accept(violation(topic, kind, at, detail));
  }

  static Violation violation(String topic, Kind kind, StoredText at, String detail) {
    return new Violation(
        kind,
        at.event().getStreamId(),
        at.event().getChunk(),
        topic,
        at.partition(),
        at.offset(),
        detail);
  }

  long events() {
    return events;
  }

  /** By stream ID. */
  Map<String, StreamAudit> streams() {
    return streams;
  }

  Totals totals() {
    Totals totals = new Totals();
    streams.values().forEach(stream -> totals.add(stream.totals()));
    return totals;
  }
}

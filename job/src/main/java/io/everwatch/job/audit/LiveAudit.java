// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.audit;

import io.everwatch.job.audit.Violation.Kind;
import io.everwatch.schemas.WireFormatException;
import io.everwatch.schemas.avro.TextEvent;
import io.everwatch.schemas.avro.TextKind;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Checks the live reading of a text topic, aborted transactions included: an event that is seen
 * again has the same bytes (architecture §8); only a STALE depends on when it was said. Keeps per
 * stream its last {@link RecentEvents#CAPACITY} identities.
 */
public final class LiveAudit {
  private static final class Stream {
    private final RecentEvents recent = new RecentEvents();
    private @Nullable TextEvent end;
  }

  private final String topic;
  private final Set<String> only;
  private final Consumer<Violation> violations;
  private final Map<String, Stream> streams = new HashMap<>();
  private long events;

  /**
   * An audit that has seen nothing.
   *
   * @param only the streams to check; empty = all
   */
  public LiveAudit(String topic, Set<String> only, Consumer<Violation> violations) {
    this.topic = topic;
    this.only = Set.copyOf(only);
    this.violations = violations;
  }

  /** The next record of a partition. What is no text event is left to {@link TextAudit}. */
  public void accept(int partition, long offset, byte[] value) {
    StoredText text;
    try {
      text = StoredText.of(value, partition, offset);
    } catch (WireFormatException reportedThere) {
      return;
    }
    TextEvent event = text.event();
    if (!only.isEmpty() && !only.contains(event.getStreamId())) {
      return;
    }
    events++;
    Stream stream = streams.computeIfAbsent(event.getStreamId(), id -> new Stream());
    if (stream.end != null && StreamAudit.beginsAnew(event, stream.end)) {
      stream.recent.clear();
      stream.end = null;
    }
    stream
        .recent
        .putIfNew(text)
        .filter(before -> !before.sameBytes(text) && event.getKind() != TextKind.STALE)
        .ifPresent(
            before ->
                violations.accept(
                    TextAudit.violation(
                        topic,
                        Kind.CHANGED,
                        text,
                        "live readers saw other bytes for it at partition %d offset %d; expected"
                                .formatted(before.partition(), before.offset())
                            + " the same bytes again")));
    if (event.getKind() == TextKind.ENDED) {
      stream.end = event;
    }
  }

  long events() {
    return events;
  }
}

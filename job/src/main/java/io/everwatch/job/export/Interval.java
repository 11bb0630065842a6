// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.export;

import io.everwatch.schemas.avro.TextEvent;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Optional;

/**
 * Capture times from the first, inclusive, to the second, exclusive.
 *
 * @param from empty: from the oldest
 * @param to empty: to the newest
 */
public record Interval(Optional<Instant> from, Optional<Instant> to) {
  /** Whether some of what the event tells of lies inside. */
  boolean touches(TextEvent event) {
    long start = event.getStartMicros();
    long end = event.getEndMicros();
    boolean ends = to.isEmpty() || start < micros(to.get());
    boolean begins = from.isEmpty() || Math.max(start + 1, end) > micros(from.get());
    return ends && begins;
  }

  /** Whether what comes next of its stream lies behind the interval. */
  boolean isBehind(TextEvent event) {
    return to.isPresent() && event.getEndMicros() >= micros(to.get());
  }

  /** Microseconds since the epoch. */
  public static long micros(Instant time) {
    return ChronoUnit.MICROS.between(Instant.EPOCH, time);
  }

  @Override
  public String toString() {
    return "from %s to %s"
        .formatted(
            from.map(Instant::toString).orElse("the oldest"),
            to.map(Instant::toString).orElse("the newest"));
  }
}

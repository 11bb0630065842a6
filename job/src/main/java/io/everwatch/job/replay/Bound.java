// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.replay;

import java.time.DateTimeException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.Optional;

/** One end of an interval: the number of a chunk, or a capture time. */
public record Bound(Optional<Long> chunk, Optional<Instant> time) {
  /**
   * Reads {@code 17} or {@code 2026-11-20T09:00:00Z}.
   *
   * @throws IllegalArgumentException when it is neither
   */
  public static Bound parse(String text) {
    if (text.matches("\\d{1,18}")) {
      return new Bound(Optional.of(Long.parseLong(text)), Optional.empty());
    }
    try {
      return new Bound(Optional.empty(), Optional.of(OffsetDateTime.parse(text).toInstant()));
    } catch (DateTimeException e) {
      throw new IllegalArgumentException(
          "'%s' is neither a chunk nor a time; expected a number, or a time with its zone such as 2026-11-20T09:00:00Z"
              .formatted(text),
          e);
    }
  }
}

// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.cli;

import io.everwatch.schemas.EventHeaders;
import io.everwatch.schemas.ReceivedText;
import java.util.HashMap;
import java.util.Map;
import java.util.OptionalLong;

/**
 * Tells from the events of all streams that the job was started again, once for all of them: its
 * subtasks start one after the other.
 */
final class Restarts {
  /** Tasks that start within so long are of one start. */
  private static final long TOGETHER_MILLIS = 30_000;

  private final Map<String, Long> started = new HashMap<>();
  private long told = EventHeaders.ABSENT;

  /** When the job was started again since the stream's event before; empty: it was not. */
  OptionalLong since(ReceivedText next) {
    long now = next.headers().startedMillis();
    if (now == EventHeaders.ABSENT) {
      return OptionalLong.empty();
    }
    Long before = started.put(next.event().getStreamId(), now);
    boolean again = before != null && now > before;
    if (!again || (told != EventHeaders.ABSENT && now - told < TOGETHER_MILLIS)) {
      return OptionalLong.empty();
    }
    told = now;
    return OptionalLong.of(now);
  }
}

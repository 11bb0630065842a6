// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.export;

import io.everwatch.schemas.avro.SourceRange;
import io.everwatch.schemas.avro.TextEvent;
import io.everwatch.schemas.avro.TextKind;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** One stream on its way through the topic: what was seen of it, and what not twice. */
final class StreamSearch {
  /** An event that comes again after a crash comes within so many others of its stream. */
  private static final int REMEMBERED = 4096;

  private record Identity(long beganMicros, long chunk, String subject) {}

  private final Map<Identity, Boolean> recent =
      new LinkedHashMap<>() {
        private static final long serialVersionUID = 1;

        @Override
        protected boolean removeEldestEntry(Map.Entry<Identity, Boolean> eldest) {
          return size() > REMEMBERED;
        }
      };

  /** The record that ended the life before. */
  private @Nullable SourceRange end;

  private long firstMicros = Long.MAX_VALUE;
  private long lastMicros = Long.MIN_VALUE;
  private long found;

  /** Takes note of an event; false: it was seen before. */
  boolean see(TextEvent event) {
    if (isAfterEnd(event)) { // published again, it has the same times and chunks
      recent.clear();
      end = null;
    }
    if (event.getKind() == TextKind.ENDED && !event.getSources().isEmpty()) {
      end = event.getSources().get(0);
    }
    firstMicros = Math.min(firstMicros, event.getStartMicros());
    lastMicros = Math.max(lastMicros, event.getEndMicros());
    return recent.put(
            new Identity(event.getBeganMicros(), event.getChunk(), event.getSubject()), true)
        == null;
  }

  /** Whether it is of frames that came after the stream's end. */
  private boolean isAfterEnd(TextEvent event) {
    SourceRange last = end;
    return last != null
        && event.getKind() != TextKind.NOTICE
        && event.getSources().stream()
            .anyMatch(
                source ->
                    source.getTopic().equals(last.getTopic())
                        && source.getPartition() == last.getPartition()
                        && source.getFirstOffset() > last.getLastOffset());
  }

  /** An event of the interval. */
  void find() {
    found++;
  }

  boolean hasFound() {
    return found > 0;
  }

  /** Capture times of all that was seen. */
  long firstMicros() {
    return firstMicros;
  }

  long lastMicros() {
    return lastMicros;
  }
}

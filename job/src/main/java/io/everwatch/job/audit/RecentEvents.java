// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.audit;

import io.everwatch.job.audit.StoredText.Digest;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/** Bytes and place of a stream's last events by identity, in bounded space. */
final class RecentEvents {
  /** More than an hour of one-second chunks; a repetition reaches back to a checkpoint. */
  static final int CAPACITY = 4096;

  /** What stood there first. */
  record Seen(Digest digest, int partition, long offset) {
    boolean sameBytes(StoredText text) {
      return digest.equals(text.digest());
    }
  }

  private record Identity(long beganMicros, long chunk, String subject) {}

  private final Map<Identity, Seen> events =
      new LinkedHashMap<>() {
        private static final long serialVersionUID = 1;

        @Override
        protected boolean removeEldestEntry(Map.Entry<Identity, Seen> eldest) {
          return size() > CAPACITY;
        }
      };

  /** The first event of this identity; when there was none, this one is from now on. */
  Optional<Seen> putIfNew(StoredText text) {
    return Optional.ofNullable(
        events.putIfAbsent(
            new Identity(
                text.event().getBeganMicros(), text.event().getChunk(), text.event().getSubject()),
            new Seen(text.digest(), text.partition(), text.offset())));
  }

  void clear() {
    events.clear();
  }
}

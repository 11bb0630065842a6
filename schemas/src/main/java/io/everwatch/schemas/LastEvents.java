// SPDX-License-Identifier: Apache-2.0
package io.everwatch.schemas;

import io.everwatch.schemas.avro.TextEvent;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.LinkedHashMap;
import java.util.Map;

/** Remembers which events were reported, by identity and digest; the longest unseen goes first. */
final class LastEvents {
  enum Seen {
    NEW,
    CHANGED,
    REPEATED
  }

  private record Identity(String streamId, long beganMicros, long chunk, String subject) {}

  /** First 128 bits of SHA-256. */
  private record Digest(long high, long low) {}

  private final Map<Identity, Digest> digests;
  private final MessageDigest sha;

  LastEvents(int capacity) {
    digests =
        new LinkedHashMap<>(16, 0.75f, /* accessOrder= */ true) {
          @Override
          protected boolean removeEldestEntry(Map.Entry<Identity, Digest> eldest) {
            return size() > capacity;
          }
        };
    try {
      sha = MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException impossible) { // each Java has it
      throw new IllegalStateException(impossible);
    }
  }

  /** Whether these bytes are news; from now on they are not. */
  Seen put(TextEvent event, byte[] bytes) {
    ByteBuffer hash = ByteBuffer.wrap(sha.digest(bytes));
    Digest digest = new Digest(hash.getLong(), hash.getLong());
    Digest before =
        digests.put(
            new Identity(
                event.getStreamId(), event.getBeganMicros(), event.getChunk(), event.getSubject()),
            digest);
    if (before == null) {
      return Seen.NEW;
    }
    return before.equals(digest) ? Seen.REPEATED : Seen.CHANGED;
  }
}

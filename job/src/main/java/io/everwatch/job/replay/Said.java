// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.replay;

import io.everwatch.schemas.WireFormat;
import io.everwatch.schemas.WireFormatException;
import io.everwatch.schemas.avro.SkippedRange;
import io.everwatch.schemas.avro.TextEvent;
import io.everwatch.schemas.avro.TextKind;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HexFormat;
import org.jspecify.annotations.Nullable;

/** A text event, in the topic or said again. */
record Said(TextEvent event, byte[] value) {
  private static final int DIGEST_BYTES = 8;

  /** Of a value in wire format: marker, and fingerprint of the writer's schema. */
  private static final int SCHEMA_BYTES = 10;

  /** Which event it is, within one life of one stream. */
  record Identity(long chunk, String subject) {}

  static Said of(byte[] value) throws WireFormatException {
    return new Said(WireFormat.decodeText(value), value);
  }

  /** Whether the release that wrote it had other fields than this one. */
  boolean isOfOtherRelease() {
    return !Arrays.equals(value, 0, SCHEMA_BYTES, WireFormat.encode(event), 0, SCHEMA_BYTES);
  }

  /** The same, of which an earlier release tells nothing. */
  TextEvent withoutMemory() {
    return TextEvent.newBuilder(event).setMemory(null).build();
  }

  Identity identity() {
    return new Identity(event.getChunk(), event.getSubject());
  }

  /** The last chunk that it tells of. */
  long lastChunk() {
    @Nullable SkippedRange skipped = event.getSkipped();
    return skipped == null ? event.getChunk() : skipped.getLastChunk();
  }

  /**
   * It is the event of its chunks, or says that the stream ended with a record that tells so; that
   * it was forgotten, for a reason that stands in the text, hangs on a clock.
   */
  boolean closes() {
    return switch (event.getKind()) {
      case COMMENT, SILENCE, ERROR, GAP -> true;
      case ENDED -> event.getText().isEmpty();
      case STALE, ANSWER, ALERT, NOTICE, UNKNOWN -> false;
    };
  }

  /** It follows from the records; that a stream was silent, or forgotten for it, does not. */
  boolean follows() {
    return closes() || event.getKind() == TextKind.NOTICE;
  }

  /** First 16 digits of SHA-256 of the record's value. */
  String digest() {
    try {
      byte[] hash = MessageDigest.getInstance("SHA-256").digest(value);
      return HexFormat.of().formatHex(hash, 0, DIGEST_BYTES);
    } catch (NoSuchAlgorithmException impossible) { // each Java has it
      throw new IllegalStateException(impossible);
    }
  }
}

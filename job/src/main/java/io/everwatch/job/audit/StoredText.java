// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.audit;

import io.everwatch.schemas.WireFormat;
import io.everwatch.schemas.WireFormatException;
import io.everwatch.schemas.avro.TextEvent;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;

/** A text event and where it lies. */
record StoredText(TextEvent event, Digest digest, int partition, long offset) {
  /** First 128 bits of SHA-256 of the record's value. */
  record Digest(long high, long low) {
    static Digest of(byte[] value) {
      try {
        ByteBuffer hash = ByteBuffer.wrap(MessageDigest.getInstance("SHA-256").digest(value));
        return new Digest(hash.getLong(), hash.getLong());
      } catch (NoSuchAlgorithmException impossible) { // each Java has it
        throw new IllegalStateException(impossible);
      }
    }
  }

  /**
   * Decodes a record of the text topic.
   *
   * @throws WireFormatException when it is no text event
   */
  static StoredText of(byte[] value, int partition, long offset) throws WireFormatException {
    return new StoredText(WireFormat.decodeText(value), Digest.of(value), partition, offset);
  }
}

// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.flink;

import io.everwatch.operators.flink.FrameRecord.Unusable;
import io.everwatch.schemas.WireFormatException;
import java.io.Serializable;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/**
 * Makes a {@link FrameRecord} of a record of one topic. Never throws for what the record contains:
 * a source that did would read the same record again for ever.
 */
public sealed interface RecordReader extends Serializable
    permits FrameRecordReader, CommandRecordReader {
  /**
   * One record, whatever it contains.
   *
   * @param value of the record; null: it has none
   * @param arrivalMillis the record's own time
   */
  default FrameRecord read(Origin origin, byte @Nullable [] value, long arrivalMillis) {
    byte[] bytes = value == null ? new byte[0] : value;
    try {
      return decode(origin, bytes, arrivalMillis);
    } catch (WireFormatException e) {
      return new FrameRecord(
          spreadOf(origin),
          origin,
          arrivalMillis,
          Unusable.of(e.reason().name(), String.valueOf(e.getMessage()), null, bytes));
    }
  }

  /**
   * A record that can be decoded, though what it says may be {@link Unusable}.
   *
   * @throws WireFormatException when it cannot be decoded
   */
  FrameRecord decode(Origin origin, byte[] value, long arrivalMillis) throws WireFormatException;

  /** A record that names no stream touches no state; its key only decides who reports it. */
  private static StreamKey spreadOf(Origin origin) {
    byte[] key = origin.key();
    return StreamKey.of(
        key == null || key.length > FrameRecordReader.MAX_STREAM_ID_BYTES
            ? ""
            : new String(key, StandardCharsets.UTF_8));
  }
}

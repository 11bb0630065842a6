// SPDX-License-Identifier: Apache-2.0
package io.everwatch.schemas;

import io.everwatch.schemas.WireFormatException.Reason;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.HashMap;
import java.util.Map;
import org.apache.avro.AvroRuntimeException;
import org.apache.avro.Schema;
import org.apache.avro.SchemaNormalization;
import org.apache.avro.io.BinaryDecoder;
import org.apache.avro.io.DecoderFactory;
import org.apache.avro.specific.SpecificDatumReader;
import org.apache.avro.specific.SpecificRecordBase;

/**
 * Reads one record type in Avro's single-object encoding: marker {@code C3 01}, CRC-64 of the
 * writer's schema (little-endian), body.
 *
 * <p>Differs from Avro's own {@code BinaryMessageDecoder}: the body is decoded from an array whose
 * end is known, so that a length field which promises gigabytes is refused before anything is
 * allocated, and bytes left over behind the record are an error.
 */
final class SingleObjectReader<T extends SpecificRecordBase> {
  private static final int HEADER_BYTES = 10;
  private static final short MARKER = (short) 0xC301;

  private final Class<T> type;
  private final Map<Long, SpecificDatumReader<T>> readers = new HashMap<>();

  /**
   * @param schemaName of the released copies of the schema
   */
  SingleObjectReader(Class<T> type, Schema schema, String schemaName) {
    this.type = type;
    addWriter(schema, schema);
    for (Schema released : ReleasedSchemas.of(schemaName)) {
      addWriter(released, schema);
    }
  }

  private void addWriter(Schema writer, Schema reader) {
    readers.put(
        SchemaNormalization.parsingFingerprint64(writer),
        new SpecificDatumReader<>(writer, reader));
  }

  T read(byte[] bytes, int maxBytes) throws WireFormatException {
    if (bytes.length > maxBytes) {
      throw new WireFormatException(
          Reason.OVERSIZED,
          "a record of %d bytes; at most %d are read; send smaller pictures or raise the limit"
              .formatted(bytes.length, maxBytes));
    }
    SpecificDatumReader<T> reader = readerFor(bytes);
    BinaryDecoder body =
        DecoderFactory.get()
            .binaryDecoder(bytes, HEADER_BYTES, bytes.length - HEADER_BYTES, /* reuse= */ null);
    T record;
    boolean isEnd;
    try {
      record = type.cast(reader.read(null, body));
      isEnd = body.isEnd();
    } catch (IOException
        | AvroRuntimeException
        | IndexOutOfBoundsException
        | UnsupportedOperationException
        | ArithmeticException e) {
      // What Avro throws for a malformed body: end of data, an enum or union index out of range, a
      // negative or absurd length.
      throw new WireFormatException(
          Reason.UNDECODABLE,
          "%d bytes whose header says %s, but whose body does not fit that schema (%s); was the"
                  .formatted(bytes.length, type.getSimpleName(), e.getMessage())
              + " record cut or written with another schema?",
          e);
    }
    if (!isEnd) {
      throw new WireFormatException(
          Reason.UNDECODABLE,
          "a %s with bytes left over behind it (%d in all); one record value is one record"
              .formatted(type.getSimpleName(), bytes.length));
    }
    return record;
  }

  private SpecificDatumReader<T> readerFor(byte[] bytes) throws WireFormatException {
    if (bytes.length < HEADER_BYTES || ByteBuffer.wrap(bytes).getShort() != MARKER) {
      throw new WireFormatException(
          Reason.UNDECODABLE,
          "%d bytes that do not begin as a record does; expected Avro single-object encoding (C3 01,"
                  .formatted(bytes.length)
              + " eight bytes of schema fingerprint, body); does another program write to this"
              + " topic?");
    }
    long fingerprint = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getLong(2);
    SpecificDatumReader<T> reader = readers.get(fingerprint);
    if (reader == null) {
      throw new WireFormatException(
          Reason.UNKNOWN_SCHEMA,
          "schema fingerprint %016x is no %s known to this release; upgrade the reader before the"
                  .formatted(fingerprint, type.getSimpleName())
              + " writer");
    }
    return reader;
  }
}

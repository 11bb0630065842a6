// SPDX-License-Identifier: Apache-2.0
package io.everwatch.schemas;

import static org.assertj.core.api.Assertions.assertThat;

import io.everwatch.schemas.avro.CommandEvent;
import io.everwatch.schemas.avro.DeadLetter;
import io.everwatch.schemas.avro.FrameEvent;
import io.everwatch.schemas.avro.TextEvent;
import java.io.IOException;
import java.util.List;
import java.util.stream.Stream;
import org.apache.avro.Schema;
import org.apache.avro.SchemaCompatibility;
import org.apache.avro.SchemaCompatibility.SchemaCompatibilityType;
import org.apache.avro.generic.GenericData;
import org.apache.avro.generic.GenericRecord;
import org.apache.avro.generic.GenericRecordBuilder;
import org.apache.avro.message.BinaryMessageEncoder;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class ReleasedSchemasTest {
  record Released(String name, int index, Schema writer, Schema reader) {
    @Override
    public String toString() {
      return name + " of " + ReleasedSchemas.VERSIONS.get(index);
    }
  }

  static Stream<Released> released() {
    return Stream.of(
            released("frame_event", FrameEvent.getClassSchema()),
            released("text_event", TextEvent.getClassSchema()),
            released("dead_letter", DeadLetter.getClassSchema()),
            released("command_event", CommandEvent.getClassSchema()))
        .flatMap(List::stream);
  }

  private static List<Released> released(String name, Schema reader) {
    List<Schema> schemas = ReleasedSchemas.of(name);
    return Stream.iterate(0, i -> i < schemas.size(), i -> i + 1)
        .map(i -> new Released(name, i, schemas.get(i), reader))
        .toList();
  }

  @Test
  void coverEachRecordType() {
    assertThat(released().map(Released::name).distinct())
        .containsExactly("frame_event", "text_event", "dead_letter", "command_event");
  }

  @ParameterizedTest
  @MethodSource("released")
  void areReadByThePresentReader(Released released) throws Exception {
    GenericRecord written = onlyWhatMustBeSet(released.writer());

    byte[] bytes = encode(released.writer(), written);

    Object read =
        switch (released.name()) {
          case "frame_event" -> WireFormat.decodeFrame(bytes);
          case "text_event" -> WireFormat.decodeText(bytes);
          case "command_event" -> WireFormat.decodeCommand(bytes, WireFormat.MAX_RECORD_BYTES);
          default -> WireFormat.decodeDeadLetter(bytes);
        };
    GenericRecord record = (GenericRecord) read;
    for (Schema.Field field : released.writer().getFields()) {
      assertThat(String.valueOf(record.get(field.name())))
          .as(field.name())
          .isEqualTo(String.valueOf(written.get(field.name())));
    }
  }

  @ParameterizedTest
  @MethodSource("released")
  void readWhatThePresentWriterWrites(Released released) {
    // An old reader that is told the new schema; a deployment is never upgraded in one instant.
    assertThat(
            SchemaCompatibility.checkReaderWriterCompatibility(released.writer(), released.reader())
                .getType())
        .isEqualTo(SchemaCompatibilityType.COMPATIBLE);
  }

  /** Sets the fields without a default; a schema whose optional fields lack one fails here. */
  private static GenericRecord onlyWhatMustBeSet(Schema schema) {
    GenericRecordBuilder builder = new GenericRecordBuilder(schema);
    for (Schema.Field field : schema.getFields()) {
      if (!field.hasDefaultValue()) {
        switch (field.schema().getType()) {
          case STRING -> builder.set(field, "some " + field.name());
          case LONG -> builder.set(field, 5L);
          case INT -> builder.set(field, 3);
          default -> throw new AssertionError(field + " needs a default");
        }
      }
    }
    return builder.build();
  }

  private static byte[] encode(Schema writer, GenericRecord record) throws IOException {
    return new BinaryMessageEncoder<GenericRecord>(GenericData.get(), writer)
        .encode(record)
        .array();
  }
}

// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.flink;

import java.io.IOException;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.core.memory.DataInputView;
import org.apache.flink.core.memory.DataOutputView;
import org.jspecify.annotations.Nullable;

/**
 * A record for the dead-letter topic.
 *
 * @param key that the record had, at most its first {@link DeadLetters#MAX_ORIGINAL_BYTES}; null:
 *     none
 * @param value a {@code DeadLetter} in wire format
 */
public record DeadLetterRecord(byte @Nullable [] key, byte[] value) {
  public static final TypeInformation<DeadLetterRecord> TYPE =
      new VersionedType<>(DeadLetterRecord.class, new Serializer());

  static final class Serializer extends VersionedSerializer<DeadLetterRecord> {
    private static final long serialVersionUID = 1;

    @Override
    int version() {
      return 1;
    }

    @Override
    String what() {
      return "dead-letter record";
    }

    @Override
    void write(DeadLetterRecord record, DataOutputView out) throws IOException {
      Fields.writeOptional(record.key, out);
      Fields.writeBytes(record.value, out);
    }

    @Override
    DeadLetterRecord read(int version, DataInputView in) throws IOException {
      return new DeadLetterRecord(Fields.readOptional(in), Fields.readBytes(in));
    }

    @Override
    public DeadLetterRecord createInstance() {
      return new DeadLetterRecord(null, new byte[0]);
    }

    @Override
    public SnapshotOfDeadLetters snapshotConfiguration() {
      return new SnapshotOfDeadLetters();
    }
  }

  /** Public for Flink, which makes it by reflection. */
  public static final class SnapshotOfDeadLetters
      extends VersionedSerializer.Snapshot<DeadLetterRecord> {
    public SnapshotOfDeadLetters() {
      super(Serializer::new);
    }
  }
}

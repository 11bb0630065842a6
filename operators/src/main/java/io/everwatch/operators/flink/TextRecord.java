// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.flink;

import io.everwatch.schemas.EventHeaders;
import java.io.IOException;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.core.memory.DataInputView;
import org.apache.flink.core.memory.DataOutputView;

/**
 * A record for the text topic.
 *
 * @param streamId its key
 * @param value a {@code TextEvent} in wire format
 */
public record TextRecord(String streamId, byte[] value, EventHeaders headers) {
  public static final TypeInformation<TextRecord> TYPE =
      new VersionedType<>(TextRecord.class, new Serializer());

  static final class Serializer extends VersionedSerializer<TextRecord> {
    private static final long serialVersionUID = 1;

    @Override
    int version() {
      return 1;
    }

    @Override
    String what() {
      return "text record";
    }

    @Override
    void write(TextRecord record, DataOutputView out) throws IOException {
      Fields.writeString(record.streamId, out);
      Fields.writeBytes(record.value, out);
      out.writeLong(record.headers.lastCaptureMillis());
      out.writeLong(record.headers.arrivalMillis());
      out.writeLong(record.headers.closedMillis());
      out.writeLong(record.headers.prefillDoneMillis());
      out.writeLong(record.headers.firstTokenMillis());
      out.writeLong(record.headers.doneMillis());
    }

    @Override
    TextRecord read(int version, DataInputView in) throws IOException {
      return new TextRecord(
          Fields.readString(in),
          Fields.readBytes(in),
          new EventHeaders(
              in.readLong(),
              in.readLong(),
              in.readLong(),
              in.readLong(),
              in.readLong(),
              in.readLong()));
    }

    @Override
    public TextRecord createInstance() {
      return new TextRecord("", new byte[0], EventHeaders.NONE);
    }

    @Override
    public SnapshotOfTexts snapshotConfiguration() {
      return new SnapshotOfTexts();
    }
  }

  /** Public for Flink, which makes it by reflection. */
  public static final class SnapshotOfTexts extends VersionedSerializer.Snapshot<TextRecord> {
    public SnapshotOfTexts() {
      super(Serializer::new);
    }
  }
}

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
 * @param key of its stream; the ID is the record's key
 * @param value a {@code TextEvent} in wire format
 * @param givenMillis processing time at which the operator gave it out: the record's timestamp, by
 *     which a restored job finds it again
 * @param settled the newest checkpoint whose text the operator forgets with its next one, 0: none;
 *     the sink checks that this text is committed ({@link Unconfirmed})
 */
public record TextRecord(
    StreamKey key, byte[] value, EventHeaders headers, long givenMillis, long settled) {
  public static final TypeInformation<TextRecord> TYPE =
      new VersionedType<>(TextRecord.class, new Serializer());

  /** One that was not given out yet. */
  static TextRecord of(StreamKey key, byte[] value, EventHeaders headers) {
    return new TextRecord(key, value, headers, 0, 0);
  }

  /** The same, given out now. */
  TextRecord given(long nowMillis, long settledCheckpoint) {
    return new TextRecord(key, value, headers, nowMillis, settledCheckpoint);
  }

  public String streamId() {
    return key.streamId();
  }

  static final class Serializer extends VersionedSerializer<TextRecord> {
    private static final long serialVersionUID = 1;

    /** The layout that was the first to have the whole key, and when it was given out. */
    private static final int WITH_KEY = 2;

    /** The layout that was the first to say when the task was started. */
    private static final int WITH_STARTED = 3;

    @Override
    int version() {
      return 3;
    }

    @Override
    String what() {
      return "text record";
    }

    @Override
    void write(TextRecord record, DataOutputView out) throws IOException {
      Fields.writeString(record.key.streamId(), out);
      Fields.writeBytes(record.value, out);
      out.writeLong(record.headers.lastCaptureMillis());
      out.writeLong(record.headers.arrivalMillis());
      out.writeLong(record.headers.closedMillis());
      out.writeLong(record.headers.prefillDoneMillis());
      out.writeLong(record.headers.firstTokenMillis());
      out.writeLong(record.headers.doneMillis());
      out.writeLong(record.headers.startedMillis());
      out.writeInt(record.key.spread());
      out.writeLong(record.givenMillis);
      out.writeLong(record.settled);
    }

    @Override
    TextRecord read(int version, DataInputView in) throws IOException {
      String streamId = Fields.readString(in);
      byte[] value = Fields.readBytes(in);
      EventHeaders headers =
          new EventHeaders(
              in.readLong(),
              in.readLong(),
              in.readLong(),
              in.readLong(),
              in.readLong(),
              in.readLong(),
              version < WITH_STARTED ? EventHeaders.ABSENT : in.readLong());
      return version < WITH_KEY
          ? of(StreamKey.of(streamId), value, headers)
          : new TextRecord(
              new StreamKey(in.readInt(), streamId), value, headers, in.readLong(), in.readLong());
    }

    @Override
    public TextRecord createInstance() {
      return of(StreamKey.of(""), new byte[0], EventHeaders.NONE);
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

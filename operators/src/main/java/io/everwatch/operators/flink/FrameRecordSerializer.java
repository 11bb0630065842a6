// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.flink;

import io.everwatch.operators.flink.FrameRecord.Content;
import io.everwatch.operators.flink.FrameRecord.End;
import io.everwatch.operators.flink.FrameRecord.Picture;
import io.everwatch.operators.flink.FrameRecord.Unusable;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import org.apache.flink.core.memory.DataInputView;
import org.apache.flink.core.memory.DataOutputView;
import org.jspecify.annotations.Nullable;

/** Between source and operator only: lives no longer than the records in flight. */
final class FrameRecordSerializer extends VersionedSerializer<FrameRecord> {
  private static final long serialVersionUID = 1;
  private static final int PICTURE = 0;
  private static final int END = 1;
  private static final int UNUSABLE = 2;
  private static final int COMMAND = 3;

  private static final StreamKey.Serializer KEYS = new StreamKey.Serializer();

  @Override
  int version() {
    return 1;
  }

  @Override
  String what() {
    return "frame record";
  }

  @Override
  void write(FrameRecord record, DataOutputView out) throws IOException {
    KEYS.serialize(record.key(), out);
    Origin.write(record.origin(), out);
    out.writeLong(record.arrivalMillis());
    Content content = record.content();
    if (content instanceof Picture picture) {
      out.writeByte(PICTURE);
      out.writeLong(picture.sequence());
      out.writeLong(picture.captureMicros());
      StoredPicture.write(picture.frame(), out);
    } else if (content instanceof End end) {
      out.writeByte(END);
      out.writeLong(end.sequence());
    } else if (content instanceof Command command) {
      out.writeByte(COMMAND);
      Command.write(command, out);
    } else {
      out.writeByte(UNUSABLE);
      writeUnusable((Unusable) content, out);
    }
  }

  private static void writeUnusable(Unusable unusable, DataOutputView out) throws IOException {
    Fields.writeString(unusable.reason(), out);
    Fields.writeString(unusable.detail(), out);
    String streamId = unusable.streamId();
    Fields.writeOptional(streamId == null ? null : streamId.getBytes(StandardCharsets.UTF_8), out);
    out.writeLong(unusable.sequence());
    out.writeLong(unusable.captureMicros());
    Fields.writeBytes(unusable.original(), out);
    out.writeInt(unusable.originalSize());
  }

  @Override
  FrameRecord read(int version, DataInputView in) throws IOException {
    return new FrameRecord(KEYS.deserialize(in), Origin.read(in), in.readLong(), readContent(in));
  }

  private static Content readContent(DataInputView in) throws IOException {
    int kind = in.readUnsignedByte();
    return switch (kind) {
      case PICTURE -> new Picture(in.readLong(), in.readLong(), StoredPicture.read(in));
      case END -> new End(in.readLong());
      case UNUSABLE ->
          new Unusable(
              Fields.readString(in),
              Fields.readString(in),
              readStreamId(in),
              in.readLong(),
              in.readLong(),
              Fields.readBytes(in),
              in.readInt());
      case COMMAND -> Command.read(in);
      default -> throw new IOException("frame record is damaged: content " + kind);
    };
  }

  private static @Nullable String readStreamId(DataInputView in) throws IOException {
    byte[] bytes = Fields.readOptional(in);
    return bytes == null ? null : new String(bytes, StandardCharsets.UTF_8);
  }

  @Override
  public FrameRecord createInstance() {
    return new FrameRecord(StreamKey.of(""), new Origin("", 0, 0, new byte[0]), 0, new End(0));
  }

  @Override
  public SnapshotOfFrames snapshotConfiguration() {
    return new SnapshotOfFrames();
  }

  /** Public for Flink, which makes it by reflection. */
  public static final class SnapshotOfFrames extends Snapshot<FrameRecord> {
    public SnapshotOfFrames() {
      super(FrameRecordSerializer::new);
    }
  }
}

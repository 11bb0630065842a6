// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.flink;

import java.io.IOException;
import java.util.Optional;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.core.memory.DataInputView;
import org.apache.flink.core.memory.DataOutputView;

/**
 * What a checkpoint says of one stream.
 *
 * @param nextChunk the first chunk without an event
 * @param endMicros where the last chunk with an event ended
 * @param beganMicros names the stream's life
 * @param lastFrame the newest record of the frames topic that it had taken; none: it had no frame
 * @param waiting chunks, gaps and commands that were to be answered next
 * @param model digest of the model that made its memory
 * @param numerics identity under which it was made
 */
public record StreamSummary(
    StreamKey key,
    long nextChunk,
    long endMicros,
    long beganMicros,
    Optional<Origin> lastFrame,
    int waiting,
    String model,
    String numerics) {
  public static final TypeInformation<StreamSummary> TYPE =
      new VersionedType<>(StreamSummary.class, new Serializer());

  static StreamSummary of(StreamKey key, StoredStream stream, int waiting) {
    return new StreamSummary(
        key,
        stream.nextChunk(),
        stream.endMicros(),
        stream.assembler().progress().beganMicros(),
        stream.lastFrame(),
        waiting,
        stream.model(),
        stream.numerics());
  }

  /** Of a job's own records; never stored. */
  static final class Serializer extends VersionedSerializer<StreamSummary> {
    private static final long serialVersionUID = 1;

    @Override
    int version() {
      return 1;
    }

    @Override
    String what() {
      return "summary of a stream";
    }

    @Override
    void write(StreamSummary stream, DataOutputView out) throws IOException {
      out.writeInt(stream.key.spread());
      Fields.writeString(stream.key.streamId(), out);
      out.writeLong(stream.nextChunk);
      out.writeLong(stream.endMicros);
      out.writeLong(stream.beganMicros);
      Fields.writeList(stream.lastFrame.stream().toList(), Origin::write, out);
      out.writeInt(stream.waiting);
      Fields.writeString(stream.model, out);
      Fields.writeString(stream.numerics, out);
    }

    @Override
    StreamSummary read(int version, DataInputView in) throws IOException {
      return new StreamSummary(
          new StreamKey(in.readInt(), Fields.readString(in)),
          in.readLong(),
          in.readLong(),
          in.readLong(),
          Fields.readList(Origin::read, in).stream().findFirst(),
          in.readInt(),
          Fields.readString(in),
          Fields.readString(in));
    }

    @Override
    public StreamSummary createInstance() {
      return new StreamSummary(StreamKey.of(""), 0, 0, 0, Optional.empty(), 0, "", "");
    }

    @Override
    public SnapshotOfSummaries snapshotConfiguration() {
      return new SnapshotOfSummaries();
    }
  }

  /** Public for Flink, which makes it by reflection. */
  public static final class SnapshotOfSummaries
      extends VersionedSerializer.Snapshot<StreamSummary> {
    public SnapshotOfSummaries() {
      super(Serializer::new);
    }
  }
}

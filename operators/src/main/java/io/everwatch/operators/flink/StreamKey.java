// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.flink;

import java.io.IOException;
import java.io.Serializable;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.core.memory.DataInputView;
import org.apache.flink.core.memory.DataOutputView;

/**
 * Key of one stream's state. Where the state lies follows from {@code spread} alone, which is fixed
 * when the stream is first seen; which state it is follows from both. Two streams may share a
 * spread, never a state.
 *
 * @param spread decides the key group
 */
public record StreamKey(int spread, String streamId) implements Serializable {
  public static final TypeInformation<StreamKey> TYPE =
      new VersionedType<>(StreamKey.class, new Serializer());

  /** The key of a stream that {@link SpreadRegistry} does not know: its spread is its ID's hash. */
  public static StreamKey of(String streamId) {
    return new StreamKey(streamId.hashCode(), streamId);
  }

  @Override
  public int hashCode() {
    return spread;
  }

  static final class Serializer extends VersionedSerializer<StreamKey> {
    private static final long serialVersionUID = 1;

    /**
     * Never raised: RocksDB finds a key by its bytes, this one included, so all state would be
     * lost.
     */
    @Override
    int version() {
      return 1;
    }

    @Override
    String what() {
      return "stream key";
    }

    @Override
    void write(StreamKey key, DataOutputView out) throws IOException {
      out.writeInt(key.spread);
      Fields.writeString(key.streamId, out);
    }

    @Override
    StreamKey read(int version, DataInputView in) throws IOException {
      return new StreamKey(in.readInt(), Fields.readString(in));
    }

    @Override
    public StreamKey createInstance() {
      return StreamKey.of("");
    }

    @Override
    public SnapshotOfKey snapshotConfiguration() {
      return new SnapshotOfKey();
    }
  }

  /** Public for Flink, which makes it by reflection. */
  public static final class SnapshotOfKey extends VersionedSerializer.Snapshot<StreamKey> {
    public SnapshotOfKey() {
      super(Serializer::new);
    }
  }
}

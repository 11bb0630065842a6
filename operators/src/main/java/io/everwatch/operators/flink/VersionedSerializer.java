// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.flink;

import java.io.IOException;
import java.util.function.Supplier;
import org.apache.flink.api.common.typeutils.TypeSerializer;
import org.apache.flink.api.common.typeutils.TypeSerializerSchemaCompatibility;
import org.apache.flink.api.common.typeutils.TypeSerializerSnapshot;
import org.apache.flink.api.common.typeutils.base.TypeSerializerSingleton;
import org.apache.flink.core.memory.DataInputView;
import org.apache.flink.core.memory.DataOutputView;
import org.apache.flink.runtime.execution.SuppressRestartsException;

/**
 * Serializer of an immutable value whose bytes begin with the version of their layout, so that a
 * later release reads the values of an earlier one where they lie, without rewriting any state. A
 * version from the future is refused: as a whole when the state is restored, and per value.
 */
abstract class VersionedSerializer<T> extends TypeSerializerSingleton<T> {
  private static final long serialVersionUID = 1;

  /** The layout that {@link #write} writes; from 1, at most 255. */
  abstract int version();

  abstract void write(T value, DataOutputView out) throws IOException;

  /**
   * Reads a value in any layout ever written.
   *
   * @param version from 1 to {@link #version()}
   */
  abstract T read(int version, DataInputView in) throws IOException;

  /** What the value is called in messages. */
  abstract String what();

  @Override
  public final void serialize(T value, DataOutputView out) throws IOException {
    out.writeByte(version());
    write(value, out);
  }

  @Override
  public final T deserialize(DataInputView in) throws IOException {
    int version = in.readUnsignedByte();
    if (version < 1 || version > version()) {
      throw new IOException(unknownVersion(what(), version, version()));
    }
    return read(version, in);
  }

  @Override
  public final T deserialize(T reuse, DataInputView in) throws IOException {
    return deserialize(in);
  }

  @Override
  public final void copy(DataInputView in, DataOutputView out) throws IOException {
    serialize(deserialize(in), out);
  }

  @Override
  public final T copy(T from) {
    return from;
  }

  @Override
  public final T copy(T from, T reuse) {
    return from;
  }

  @Override
  public final boolean isImmutableType() {
    return true;
  }

  @Override
  public final int getLength() {
    return -1; // differs from value to value
  }

  private static String unknownVersion(String what, int found, int known) {
    return "%s in layout %d; this release reads 1 to %d; start the release that wrote it, or a later"
            .formatted(what, found, known)
        + " one";
  }

  /** Written beside the state: the newest layout that may occur in it. */
  abstract static class Snapshot<T> implements TypeSerializerSnapshot<T> {
    /** Of these few bytes themselves. */
    private static final int SNAPSHOT_VERSION = 1;

    private final Supplier<? extends VersionedSerializer<T>> serializer;

    Snapshot(Supplier<? extends VersionedSerializer<T>> serializer) {
      this.serializer = serializer;
    }

    @Override
    public int getCurrentVersion() {
      return SNAPSHOT_VERSION;
    }

    @Override
    public void writeSnapshot(DataOutputView out) throws IOException {
      out.writeInt(serializer.get().version());
    }

    @Override
    public void readSnapshot(int snapshotVersion, DataInputView in, ClassLoader loader)
        throws IOException {
      VersionedSerializer<T> present = serializer.get();
      if (snapshotVersion != SNAPSHOT_VERSION) {
        throw refused(
            unknownVersion(
                "serializer snapshot of " + present.what(), snapshotVersion, SNAPSHOT_VERSION));
      }
      int newest = in.readInt();
      if (newest < 1 || newest > present.version()) {
        throw refused(unknownVersion(present.what(), newest, present.version()));
      }
    }

    /** Such state stays what it is, however often the job is restarted with it. */
    private static RuntimeException refused(String message) {
      return new SuppressRestartsException(new IllegalStateException(message));
    }

    @Override
    public TypeSerializer<T> restoreSerializer() {
      return serializer.get();
    }

    @Override
    public TypeSerializerSchemaCompatibility<T> resolveSchemaCompatibility(
        TypeSerializerSnapshot<T> old) {
      return old.getClass() == getClass()
          ? TypeSerializerSchemaCompatibility.compatibleAsIs()
          : TypeSerializerSchemaCompatibility.incompatible();
    }
  }
}

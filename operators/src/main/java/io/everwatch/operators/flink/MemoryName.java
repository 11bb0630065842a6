// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.flink;

import java.io.IOException;
import org.apache.flink.core.memory.DataInputView;
import org.apache.flink.core.memory.DataOutputView;

/**
 * Names the complete snapshot of a stream's memory among the stored pieces; pieces of any other
 * number are the beginning of one that was never finished.
 *
 * @param number of the snapshot; 1 is the stream's beginning: its settings and no rows
 * @param pieces how many it has
 * @param nextLogged the first round of the log that is not in it
 * @param sizeBytes sum of the pieces; of the beginning and of a rebuilt one, which hold no rows, 0
 * @param rounds that the stream had made then
 * @param saidBefore rounds of the log below this number are not answered again but take the answer
 *     that they had: they lie behind a memory that was rebuilt
 */
record MemoryName(
    long number, int pieces, long nextLogged, long sizeBytes, long rounds, long saidBefore) {
  static final class Serializer extends VersionedSerializer<MemoryName> {
    private static final long serialVersionUID = 1;

    /** The layout that was the first to know of rebuilt memories. */
    private static final int WITH_REBUILT = 2;

    @Override
    int version() {
      return 2;
    }

    @Override
    String what() {
      return "name of a memory snapshot";
    }

    @Override
    void write(MemoryName name, DataOutputView out) throws IOException {
      out.writeLong(name.number);
      out.writeInt(name.pieces);
      out.writeLong(name.nextLogged);
      out.writeLong(name.sizeBytes);
      out.writeLong(name.rounds);
      out.writeLong(name.saidBefore);
    }

    @Override
    MemoryName read(int version, DataInputView in) throws IOException {
      return new MemoryName(
          in.readLong(),
          in.readInt(),
          in.readLong(),
          in.readLong(),
          version < WITH_REBUILT ? 0 : in.readLong(),
          version < WITH_REBUILT ? 0 : in.readLong());
    }

    @Override
    public MemoryName createInstance() {
      return new MemoryName(0, 0, 0, 0, 0, 0);
    }

    @Override
    public SnapshotOfNames snapshotConfiguration() {
      return new SnapshotOfNames();
    }
  }

  /** Public for Flink, which makes it by reflection. */
  public static final class SnapshotOfNames extends VersionedSerializer.Snapshot<MemoryName> {
    public SnapshotOfNames() {
      super(Serializer::new);
    }
  }
}

// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.flink;

import io.everwatch.operators.engine.NumericsIdentity;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.flink.api.common.state.ListState;
import org.apache.flink.api.common.state.ListStateDescriptor;
import org.apache.flink.api.common.state.OperatorStateStore;
import org.apache.flink.core.memory.DataInputView;
import org.apache.flink.core.memory.DataOutputView;

/**
 * What the numerics identities were under which memories in the state were made. A stream stores
 * the digest of its own only; when that is not the present one, these say what has changed.
 *
 * <p>State: {@code numerics}, a union list of the operator. Each subtask writes the identity of its
 * own process, since processes may differ, and the first one those from before. Bound: {@value
 * #KEPT} and one per subtask.
 */
final class NumericsHistory {
  /** Identities from before that are kept: state outlives few kinds of machine. */
  static final int KEPT = 32;

  private static final String STATE = "numerics";

  private final ListState<NumericsIdentity> state;
  private final Map<String, NumericsIdentity> known = new LinkedHashMap<>();

  NumericsHistory(OperatorStateStore store) throws Exception {
    state = store.getUnionListState(new ListStateDescriptor<>(STATE, new Serializer()));
    for (NumericsIdentity identity : state.get()) {
      known.put(identity.digest(), identity);
    }
  }

  /** The identity with this digest; without parts when state of an earlier layout names it. */
  NumericsIdentity of(String digest) {
    return known.getOrDefault(digest, new NumericsIdentity(digest, Map.of()));
  }

  /**
   * Writes what is to be in the checkpoint.
   *
   * @param present identity of this process
   * @param first whether this is the first subtask
   */
  void store(NumericsIdentity present, boolean first) throws Exception {
    List<NumericsIdentity> all = new ArrayList<>();
    if (first) {
      known.values().stream()
          .filter(identity -> !identity.digest().equals(present.digest()))
          .skip(Math.max(0, known.size() - KEPT))
          .forEach(all::add);
    }
    all.add(present);
    state.update(all);
  }

  static final class Serializer extends VersionedSerializer<NumericsIdentity> {
    private static final long serialVersionUID = 1;

    @Override
    int version() {
      return 1;
    }

    @Override
    String what() {
      return "numerics identity";
    }

    @Override
    void write(NumericsIdentity identity, DataOutputView out) throws IOException {
      Fields.writeString(identity.digest(), out);
      Fields.writeMap(identity.parts(), out);
    }

    @Override
    NumericsIdentity read(int version, DataInputView in) throws IOException {
      return new NumericsIdentity(Fields.readString(in), Fields.readMap(in));
    }

    @Override
    public NumericsIdentity createInstance() {
      return new NumericsIdentity("", Map.of());
    }

    @Override
    public SnapshotOfIdentities snapshotConfiguration() {
      return new SnapshotOfIdentities();
    }
  }

  /** Public for Flink, which makes it by reflection. */
  public static final class SnapshotOfIdentities
      extends VersionedSerializer.Snapshot<NumericsIdentity> {
    public SnapshotOfIdentities() {
      super(Serializer::new);
    }
  }
}

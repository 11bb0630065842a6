// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.flink;

import io.everwatch.operators.engine.Engine;
import io.everwatch.operators.engine.NumericsIdentity;
import io.everwatch.operators.flink.StateRules.OtherModel;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.flink.runtime.execution.SuppressRestartsException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Before the first record: whether the restored streams may go on in this process, and with what
 * they will. What is refused here is refused for good, since starting again would not help.
 */
final class RestoreCheck {
  private static final Logger LOG = LoggerFactory.getLogger(RestoreCheck.class);

  /** Streams that a message names. */
  private static final int SHOWN = 3;

  private final Engine engine;
  private final NumericsHistory numerics;
  private final StateRules rules;
  private final HeapBound heap;

  RestoreCheck(Engine engine, NumericsHistory numerics, StateRules rules, HeapBound heap) {
    this.engine = engine;
    this.numerics = numerics;
    this.rules = rules;
    this.heap = heap;
  }

  /** Looks at what is stored of each stream of this subtask. */
  void check(StreamStore store, Collection<StreamKey> keys) throws Exception {
    Map<String, List<String>> otherModels = new TreeMap<>();
    Map<String, List<String>> otherNumerics = new TreeMap<>();
    for (StreamKey key : keys) {
      StoredStream stream = store.stream(key).orElseThrow();
      note(otherModels, stream.model(), engine.modelDigest(), key);
      if (rules.strictNumerics() || stream.model().equals(engine.modelDigest())) {
        note(otherNumerics, stream.numerics(), engine.numericsIdentity(), key);
      }
      heap.restored(key, store.memory(key).map(MemoryName::sizeBytes).orElse(0L));
    }
    otherModels.forEach(this::otherModel);
    otherNumerics.forEach((digest, streams) -> otherNumerics(numerics.of(digest), streams));
  }

  private static void note(
      Map<String, List<String>> others, String found, String present, StreamKey key) {
    if (!found.equals(present)) {
      others.computeIfAbsent(found, digest -> new ArrayList<>()).add(key.streamId());
    }
  }

  private void otherModel(String model, List<String> streams) {
    if (rules.otherModel() == OtherModel.REFUSE) {
      throw refused(
          "the memory of %s was made by model %.16s, and this job has model %.16s; expected the same (recovery.other-model is refuse); start with that model, or with recovery.other-model: rebuild, which keeps the words and forgets the pictures, or without this state"
              .formatted(some(streams), model, engine.modelDigest()));
    }
    LOG.warn(
        "the memory of {} was made by model {}, and this job has model {}; each is rebuilt from its"
            + " words and its log when its next chunk is closed, {} at a time; its next event is"
            + " marked REBUILT",
        some(streams),
        shortened(model),
        shortened(engine.modelDigest()),
        Rebuilds.AT_ONCE);
  }

  private void otherNumerics(NumericsIdentity made, List<String> streams) {
    NumericsIdentity present = engine.numerics();
    if (rules.strictNumerics()) {
      throw refused(
          "the memory of %s was made with numerics %s; this process computes with %s; they differ in %s; expected the same (strict-numerics is true); start on the kind of machine, with the build and the model that made the state, or with strict-numerics: false, which goes on and marks the first event of each stream"
              .formatted(some(streams), made, present, present.differences(made)));
    }
    LOG.warn(
        "the memory of {} was made with numerics {}; this process computes with {}; each goes on from"
            + " its memory, its next event is marked NUMERICS_CHANGED and texts may differ",
        some(streams),
        made,
        present);
  }

  private static SuppressRestartsException refused(String message) {
    return new SuppressRestartsException(new IllegalStateException(message));
  }

  private static String shortened(String digest) {
    return digest.substring(0, Math.min(16, digest.length()));
  }

  /** "stream a", "3 streams (a, b, c)", "9 streams (a, b, c …)". */
  private static String some(List<String> streams) {
    if (streams.size() == 1) {
      return "stream " + streams.get(0);
    }
    List<String> shown = streams.stream().sorted().limit(SHOWN).toList();
    return "%d streams (%s%s)"
        .formatted(streams.size(), String.join(", ", shown), streams.size() > SHOWN ? " …" : "");
  }
}

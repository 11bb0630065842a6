// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.flink;

import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.apache.flink.api.common.functions.RuntimeContext;
import org.apache.flink.api.common.state.MapState;
import org.apache.flink.api.common.state.MapStateDescriptor;
import org.apache.flink.api.common.typeutils.base.ListSerializer;
import org.apache.flink.api.common.typeutils.base.LongSerializer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Text that was given out, kept until its transaction is known to be committed: a checkpoint that
 * is complete says that the text was written, not that its transaction, which is committed
 * afterwards, was not aborted by the broker in a long outage. Such text is given out again after
 * the restore, before anything new of its stream (docs/adr/0009).
 *
 * <p>State, of each stream that spoke: {@code unconfirmed}, checkpoint → the texts between the
 * barrier before and its own. Written at each checkpoint, a few hundred bytes per text. Removed in
 * two steps: when a checkpoint after it is complete as well, a text that goes out announces it to
 * the sink; the next checkpoint no longer has it, and the sink lets that checkpoint through only if
 * the transaction is committed. Bound: the text of three checkpoint intervals; while checkpoints
 * fail, of the transaction timeout, after which the sink fails.
 */
final class Unconfirmed {
  static final String STATE = "unconfirmed";

  private static final Logger LOG = LoggerFactory.getLogger(Unconfirmed.class);

  /** Before every checkpoint. */
  private static final long NONE = 0;

  private final Consumer<StreamKey> setKey;
  private final Optional<CommittedText> committed;
  private final OperatorMetrics metrics;
  private final MapState<Long, List<TextRecord>> texts;

  /** Since the last barrier. */
  private final Map<StreamKey, List<TextRecord>> given = new LinkedHashMap<>();

  /** Of each checkpoint in state: how many texts each stream has there. */
  private final NavigableMap<Long, Map<StreamKey, Integer>> stored = new TreeMap<>();

  private long completed = NONE;
  private long settled = NONE;
  private long announced = NONE;
  private int size;

  /**
   * Nothing is kept yet.
   *
   * @param committed empty: the sink writes without transactions, nothing need be kept
   */
  Unconfirmed(
      RuntimeContext context,
      Consumer<StreamKey> setKey,
      Optional<CommittedText> committed,
      OperatorMetrics metrics) {
    this.setKey = setKey;
    this.committed = committed;
    this.metrics = metrics;
    texts =
        context.getMapState(
            new MapStateDescriptor<>(
                STATE, LongSerializer.INSTANCE, new ListSerializer<>(new TextRecord.Serializer())));
  }

  /** Texts that are kept now. */
  int size() {
    return size;
  }

  /** Takes note of a text; returns it as it is to go out. */
  TextRecord give(TextRecord text, long nowMillis) {
    TextRecord out = text.given(nowMillis, settled);
    announced = settled;
    if (committed.isPresent()) {
      given.computeIfAbsent(out.key(), key -> new ArrayList<>()).add(out);
      size++;
    }
    return out;
  }

  /** Stores what was given out since the barrier before; forgets what was announced. */
  void save(long checkpoint) throws Exception {
    forget(stored.headMap(announced, /* inclusive= */ true));
    Map<StreamKey, Integer> counts = new LinkedHashMap<>();
    for (Map.Entry<StreamKey, List<TextRecord>> one : given.entrySet()) {
      setKey.accept(one.getKey());
      texts.put(checkpoint, List.copyOf(one.getValue()));
      counts.put(one.getKey(), one.getValue().size());
    }
    if (!counts.isEmpty()) {
      stored.put(checkpoint, counts);
    }
    given.clear();
  }

  private void forget(NavigableMap<Long, Map<StreamKey, Integer>> old) throws Exception {
    for (Map.Entry<Long, Map<StreamKey, Integer>> one : old.entrySet()) {
      for (Map.Entry<StreamKey, Integer> counted : one.getValue().entrySet()) {
        setKey.accept(counted.getKey());
        texts.remove(one.getKey());
        size -= counted.getValue();
      }
    }
    old.clear();
  }

  /**
   * A checkpoint is complete. The sink commits when it hears of it, which may be a little later
   * than here; so only what the one before covered is taken to be committed.
   */
  void completed(long checkpoint) {
    if (checkpoint > completed) {
      settled = completed;
      completed = checkpoint;
    }
  }

  /**
   * After a restore: what has to be given out again, in order; blocks until that is certain.
   *
   * @param streams those with something in this state
   */
  List<TextRecord> restore(Collection<StreamKey> streams) throws Exception {
    List<TextRecord> kept = new ArrayList<>();
    for (StreamKey key : streams) {
      setKey.accept(key);
      NavigableMap<Long, List<TextRecord>> ordered = new TreeMap<>();
      texts.entries().forEach(one -> ordered.put(one.getKey(), one.getValue()));
      ordered.values().forEach(kept::addAll);
      texts.clear(); // what is given out again is kept again, by the next checkpoint
    }
    if (kept.isEmpty()) {
      return kept;
    }
    List<TextRecord> again = committed.isPresent() ? committed.get().missing(kept) : kept;
    metrics.writtenAgain(again.size());
    if (!again.isEmpty()) {
      LOG.warn(
          "{} of {} events since the last confirmed checkpoint are not committed; they are written"
              + " again",
          again.size(),
          kept.size());
    }
    return again;
  }
}

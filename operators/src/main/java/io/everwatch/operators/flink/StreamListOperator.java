// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.flink;

import java.util.List;
import java.util.stream.Stream;
import org.apache.flink.runtime.state.VoidNamespace;
import org.apache.flink.streaming.api.operators.AbstractStreamOperator;
import org.apache.flink.streaming.api.operators.BoundedOneInput;
import org.apache.flink.streaming.api.operators.OneInputStreamOperator;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;

/**
 * Takes the place of {@link UnderstandOperator} (its {@code uid}, its key type) over a checkpoint,
 * and lists the streams that lie in it. Takes no notice of its input; changes no state.
 */
public final class StreamListOperator extends AbstractStreamOperator<StreamSummary>
    implements OneInputStreamOperator<StreamKey, StreamSummary>, BoundedOneInput {
  private static final long serialVersionUID = 1;

  @Override
  public void processElement(StreamRecord<StreamKey> nothing) {}

  @Override
  public void endInput() throws Exception {
    StreamStore store = new StreamStore(getRuntimeContext(), this::setCurrentKey);
    List<StreamKey> keys;
    try (Stream<StreamKey> found =
        this.<StreamKey>getKeyedStateBackend()
            .getKeys(StreamStore.STREAM, VoidNamespace.INSTANCE)) {
      keys = found.toList();
    }
    for (StreamKey key : keys) {
      StoredStream stream = store.stream(key).orElseThrow();
      output.collect(new StreamRecord<>(StreamSummary.of(key, stream, store.pending(key).size())));
    }
  }
}

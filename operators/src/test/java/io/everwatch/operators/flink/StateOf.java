// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.flink;

import io.everwatch.operators.model.EncodedFrame;
import java.util.HashMap;
import java.util.Map;
import org.apache.flink.api.common.state.MapState;
import org.apache.flink.api.common.state.MapStateDescriptor;
import org.apache.flink.api.common.state.ValueState;
import org.apache.flink.api.common.state.ValueStateDescriptor;
import org.apache.flink.api.common.typeutils.TypeSerializer;
import org.apache.flink.api.common.typeutils.base.LongSerializer;
import org.apache.flink.api.common.typeutils.base.array.BytePrimitiveArraySerializer;

/** What a bench's operator has in state of one stream; the maps of state may be written to. */
record StateOf(Bench bench, String stream) {
  /** The pieces of its memory, copied. */
  Map<Long, byte[]> pieces() throws Exception {
    return copy(storedPieces());
  }

  MapState<Long, byte[]> storedPieces() {
    return map(StreamStore.PIECES, BytePrimitiveArraySerializer.INSTANCE);
  }

  /** The rounds since its memory was written, copied. */
  Map<Long, LoggedRound> log() throws Exception {
    return copy(storedLog());
  }

  MapState<Long, LoggedRound> storedLog() {
    return map(StreamStore.LOG, new LoggedRound.Serializer());
  }

  /** What is stored of the stream itself. */
  ValueState<StoredStream> stored() {
    bench.operator().setCurrentKey(StreamKey.of(stream));
    return bench
        .operator()
        .getRuntimeContext()
        .getState(new ValueStateDescriptor<>(StreamStore.STREAM, new StoredStreamSerializer()));
  }

  /** The pictures of all its frames, copied. */
  Map<Long, EncodedFrame> pictures() throws Exception {
    return copy(map(StreamStore.PICTURES, new PictureSerializer()));
  }

  private <V> MapState<Long, V> map(String name, TypeSerializer<V> values) {
    bench.operator().setCurrentKey(StreamKey.of(stream));
    return bench
        .operator()
        .getRuntimeContext()
        .getMapState(new MapStateDescriptor<>(name, LongSerializer.INSTANCE, values));
  }

  private static <V> Map<Long, V> copy(MapState<Long, V> state) throws Exception {
    Map<Long, V> map = new HashMap<>();
    state.entries().forEach(entry -> map.put(entry.getKey(), entry.getValue()));
    return map;
  }
}

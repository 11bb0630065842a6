// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.flink;

import java.io.IOException;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import org.apache.flink.core.memory.DataInputView;
import org.apache.flink.core.memory.DataOutputView;

/**
 * A list in which the same instance may stand several times, stored once and the same instance
 * again when read: the engine decodes a repeated frame once.
 */
record Repeats<T>(List<T> distinct, int[] places) {
  static <T> Repeats<T> of(List<T> all) {
    List<T> distinct = new ArrayList<>();
    IdentityHashMap<T, Integer> known = new IdentityHashMap<>();
    int[] places = new int[all.size()];
    for (int i = 0; i < places.length; i++) {
      T value = all.get(i);
      Integer place = known.get(value);
      if (place == null) {
        place = distinct.size();
        known.put(value, place);
        distinct.add(value);
      }
      places[i] = place;
    }
    return new Repeats<>(distinct, places);
  }

  /** The list as it was. */
  List<T> all() {
    List<T> all = new ArrayList<>(places.length);
    for (int place : places) {
      all.add(distinct.get(place));
    }
    return all;
  }

  void write(Fields.Writer<? super T> writer, DataOutputView out) throws IOException {
    Fields.writeList(distinct, writer, out);
    out.writeInt(places.length);
    for (int place : places) {
      out.writeInt(place);
    }
  }

  static <T> Repeats<T> read(Fields.Reader<T> reader, DataInputView in) throws IOException {
    List<T> distinct = Fields.readList(reader, in);
    int[] places = new int[in.readInt()];
    for (int i = 0; i < places.length; i++) {
      places[i] = in.readInt();
      if (places[i] < 0 || places[i] >= distinct.size()) {
        throw new IOException(
            "stored frames are damaged: place %d of %d".formatted(places[i], distinct.size()));
      }
    }
    return new Repeats<>(distinct, places);
  }
}

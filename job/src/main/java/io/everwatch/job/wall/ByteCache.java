// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.wall;

import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.ToLongFunction;

/** Keeps what was used last, within so many bytes. Thread-safe. */
final class ByteCache<K, V> {
  private final Map<K, V> entries = new LinkedHashMap<>(16, 0.75f, /* accessOrder= */ true);
  private final ToLongFunction<V> size;
  private final long limit;
  private long bytes;

  ByteCache(long limit, ToLongFunction<V> size) {
    this.limit = limit;
    this.size = size;
  }

  synchronized Optional<V> get(K key) {
    return Optional.ofNullable(entries.get(key));
  }

  synchronized void put(K key, V value) {
    V before = entries.put(key, value);
    bytes += size.applyAsLong(value) - (before == null ? 0 : size.applyAsLong(before));
    Iterator<V> oldest = entries.values().iterator();
    while (bytes > limit && oldest.hasNext()) {
      bytes -= size.applyAsLong(oldest.next());
      oldest.remove();
    }
  }
}

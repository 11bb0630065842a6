// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.flink;

import java.util.Collection;
import java.util.HashMap;
import java.util.Map;
import org.apache.flink.runtime.execution.SuppressRestartsException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * How large the memories and logs of a subtask's streams are, and whether they may be: with the
 * state back end hashmap they lie in the heap, each checkpoint writes all of them, and a heap that
 * fills takes the process with it. Streams that are only in state count too.
 *
 * <p>Measured, and not estimated before the first frame: the rows of a stream follow from the size
 * of its pictures, which only its camera knows.
 */
final class HeapBound {
  private static final Logger LOG = LoggerFactory.getLogger(HeapBound.class);

  /** From this part of the bound on it is warned of, once. */
  private static final double WARN_SHARE = 0.7;

  private final long bound;
  private final Map<StreamKey, Long> sizes = new HashMap<>();
  private volatile long bytes; // read by the metrics' thread
  private boolean warned;

  /**
   * @param bound bytes; {@link Long#MAX_VALUE} when the state lies elsewhere
   */
  HeapBound(long bound) {
    this.bound = bound;
  }

  /** A stream lies in the restored state. */
  void restored(StreamKey key, long memoryBytes) {
    sizes.put(key, memoryBytes);
    add();
  }

  /** Nothing of a stream is left. */
  void gone(StreamKey key) {
    sizes.remove(key);
  }

  /** Looks again at the streams that are worked on; the others are as they were. */
  void measure(Collection<StreamState> streams) {
    for (StreamState stream : streams) {
      sizes.put(stream.key, stream.memoryBytes + stream.logBytes);
    }
    add();
  }

  /** Memories and logs, when they were last added up. */
  long bytes() {
    return bytes;
  }

  private void add() {
    long sum = 0;
    for (long one : sizes.values()) {
      sum += one;
    }
    bytes = sum;
    int streams = sizes.size();
    if (bytes > bound) {
      throw new SuppressRestartsException(new IllegalStateException(tooMuch(streams)));
    }
    if (!warned && bytes > WARN_SHARE * bound) {
      warned = true;
      LOG.warn(
          "{} bytes of memories and logs of {} streams lie in the heap of this subtask"
              + " (state.backend: hashmap); at {} the job stops (limits.hashmap-state); take a"
              + " canonical savepoint and go on from it with state.backend: rocksdb",
          bytes,
          streams,
          bound);
    }
  }

  private String tooMuch(int streams) {
    return "%d bytes of memories and logs of %d streams lie in the heap of this subtask (state.backend: hashmap); expected at most %d (limits.hashmap-state), before the heap is full; start from the last checkpoint with a larger limit and heap, or with more subtasks; to stay, take a canonical savepoint then (flink savepoint -type canonical) and go on from it with state.backend: rocksdb"
        .formatted(bytes, streams, bound);
  }
}

// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cuda;

import io.everwatch.kernels.Arena;
import io.everwatch.kernels.DType;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Function;

/**
 * Decode passes, recorded once per body and bucket of rows and launched as graphs from then on
 * ({@link io.everwatch.kernels.Backend#replay}). All that changes from step to step lies in the
 * tables, at addresses that belong to the {@link StepTables} object of pool and bucket; activations
 * lie in one arena that never moves, which all recordings share since only one pass runs at a time.
 *
 * <p>A bucket is recorded when it is first used, after its pass has run in the ordinary way: which
 * buckets there will be is not known at start-up, that pass is needed anyway, and it makes all that
 * may not be made while recording (memory of the arena, workspaces, attributes of kernels). It
 * costs that one step some milliseconds of the host's time.
 *
 * <p>One thread, that of the stream.
 */
final class CudaGraphs implements AutoCloseable {
  private final CudaStream stream;
  private final CudaArena arena;
  private final boolean record;
  private final Map<Key, Recording> recordings = new HashMap<>();

  /** Both by identity. */
  private record Key(Object body, StepTables tables) {
    @Override
    public boolean equals(Object other) {
      return other instanceof Key key && key.body == body && key.tables == tables;
    }

    @Override
    public int hashCode() {
      return 31 * System.identityHashCode(body) + System.identityHashCode(tables);
    }
  }

  /**
   * A pass.
   *
   * @param step of the arena, whose buffers it uses
   */
  private record Recording(CudaGraph graph, long step, Object result) implements AutoCloseable {
    @Override
    public void close() {
      graph.close();
    }
  }

  /**
   * @param record whether to record at all; the bits are the same
   */
  CudaGraphs(CudaStream stream, DType activation, boolean record) {
    this.stream = stream;
    this.record = record;
    this.arena = CudaArena.fixed(stream, activation);
  }

  /** See {@link io.everwatch.kernels.Backend#replay}. */
  <R> R replay(Object key, StepTables tables, Function<Arena, R> body) {
    if (!record || !tables.isDecode()) {
      arena.reset();
      return body.apply(arena);
    }
    Key place = new Key(key, tables);
    Recording recording = recordings.get(place);
    if (recording == null) {
      forgetClosed();
      arena.reset();
      var unused = body.apply(arena); // this step's values, which the recording leaves alone
      recording = recordPass(tables, body);
      recordings.put(place, recording);
    } else {
      tables.checkIds();
      arena.resume(recording.step());
      recording.graph().launch(stream);
    }
    @SuppressWarnings("unchecked") // of the same key, whose body is always the same
    R result = (R) recording.result();
    return result;
  }

  private Recording recordPass(StepTables tables, Function<Arena, ?> body) {
    arena.reset(); // hands out the same addresses once more
    Object[] result = new Object[1];
    String name = "decode of %d rows".formatted(tables.rows());
    CudaGraph graph = CudaGraph.capture(stream, name, () -> result[0] = body.apply(arena));
    return new Recording(graph, arena.step(), result[0]);
  }

  /** Pools come and go with jobs, the graphs over their rows with them. */
  private void forgetClosed() {
    recordings
        .entrySet()
        .removeIf(
            entry -> {
              boolean closed = entry.getKey().tables().isClosed();
              if (closed) {
                entry.getValue().close();
              }
              return closed;
            });
  }

  /** Recordings that can be launched. */
  int size() {
    return recordings.size();
  }

  @Override
  public void close() {
    try (arena) {
      recordings.values().forEach(Recording::close);
      recordings.clear();
    }
  }
}

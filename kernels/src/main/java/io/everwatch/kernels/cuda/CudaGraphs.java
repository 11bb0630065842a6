// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cuda;

import io.everwatch.kernels.Arena;
import io.everwatch.kernels.DType;
import java.util.function.Function;

/**
 * Decode passes, recorded once per body and bucket of rows and launched as graphs from then on
 * ({@link io.everwatch.kernels.Backend#replay}). All that changes from step to step lies in the
 * tables, at addresses that belong to the {@link StepTables} object of pool and bucket, which keeps
 * its recordings and closes them with itself; activations lie in one arena that never moves, which
 * all recordings share since only one pass runs at a time.
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
  private int recorded;

  /**
   * A pass.
   *
   * @param step of the arena, whose buffers it uses
   */
  record Recording(CudaGraph graph, long step, Object result) implements AutoCloseable {
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
    Recording recording = tables.recordings().get(key);
    if (recording == null) {
      arena.reset();
      var unused = body.apply(arena); // this step's values, which the recording leaves alone
      recording = recordPass(tables, body);
      tables.recordings().put(key, recording);
      recorded++;
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

  /** Passes recorded so far. */
  int recorded() {
    return recorded;
  }

  @Override
  public void close() {
    arena.close();
  }
}

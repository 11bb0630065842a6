// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.chunk;

import java.util.List;
import java.util.function.Function;

/** What came out of the assembler, in the stream's order. */
public sealed interface Assembled<P> {
  <R> R match(
      Function<Chunk<P>, R> chunk, Function<Gap<P>, R> gap, Function<DeadFrame<P>, R> deadFrame);

  /** Exact accounting of the frames of one chunk or gap (architecture §3a.6). */
  record Counts(int received, int used, int surplus, int duplicate, int missing) {}

  /**
   * A closed chunk with at least one frame.
   *
   * @param index chunk number on the stream's grid; goes on after a clock reset
   * @param startMicros capture time of the chunk's first grid point
   * @param frames one per grid point, repeats included
   * @param firstSequence smallest and largest sequence among the frames used
   * @param clockReset the grid was re-anchored at this chunk
   * @param dropVision a gap longer than {@code maxGap} lies before it
   */
  record Chunk<P>(
      long index,
      long startMicros,
      long endMicros,
      List<Frame<P>> frames,
      long firstSequence,
      long lastSequence,
      Counts counts,
      boolean clockReset,
      boolean dropVision)
      implements Assembled<P> {
    @Override
    public <R> R match(
        Function<Chunk<P>, R> chunk, Function<Gap<P>, R> gap, Function<DeadFrame<P>, R> deadFrame) {
      return chunk.apply(this);
    }
  }

  /** Chunks {@code [first, last]} without any frame; closed when the next frame shows its end. */
  record Gap<P>(long first, long last, long startMicros, long endMicros, Counts counts)
      implements Assembled<P> {
    @Override
    public <R> R match(
        Function<Chunk<P>, R> chunk, Function<Gap<P>, R> gap, Function<DeadFrame<P>, R> deadFrame) {
      return gap.apply(this);
    }
  }

  /** A frame that belongs to no chunk. */
  record DeadFrame<P>(Frame<P> frame, Reason reason, String detail) implements Assembled<P> {
    @Override
    public <R> R match(
        Function<Chunk<P>, R> chunk, Function<Gap<P>, R> gap, Function<DeadFrame<P>, R> deadFrame) {
      return deadFrame.apply(this);
    }
  }

  /** Why a frame went to the dead-letter topic. Persisted by name. */
  enum Reason {
    /** Its chunk was closed incomplete before it came. */
    LATE,
    /** A lone jump of the clock that the next frame did not confirm. */
    CLOCK_JUMP
  }
}

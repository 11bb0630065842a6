// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.chunk;

import java.util.List;
import java.util.function.Function;

/** What came out of the assembler, in the stream's order. */
public sealed interface Assembled<P> {
  <R> R match(
      Function<Chunk<P>, R> chunk, Function<Gap<P>, R> gap, Function<DeadFrame<P>, R> deadFrame);

  /**
   * Exact accounting of frames (architecture §3a.6). Surplus and duplicates are counted where they
   * become known: by the first chunk that closes after they came, which for the frames that follow
   * a chunk's last grid point is the next one. So over a whole stream the frames offered are the
   * sum of {@code received} over all chunks and gaps, plus the dead frames, plus {@link
   * ChunkAssembler#pending}.
   *
   * @param received {@code used + surplus + duplicate}
   * @param used frames that serve a grid point of this chunk
   * @param surplus frames counted since the event before whose grid point had its frame already
   * @param duplicate frames counted since the event before whose sequence was seen already
   * @param missing grid points without a frame of their own; of a gap all, at most {@link
   *     Integer#MAX_VALUE}
   */
  record Counts(int received, int used, int surplus, int duplicate, int missing) {}

  /**
   * A closed chunk with at least one frame.
   *
   * @param index chunk number on the stream's grid; goes on after a clock reset
   * @param startMicros capture time of the chunk's first grid point
   * @param frames one per grid point, repeats included
   * @param firstSequence smallest sequence among the frames used
   * @param lastSequence largest
   * @param clockReset the grid was re-anchored at this chunk
   * @param dropVision a gap longer than {@code maxGap} lies before it, or the clock was reset
   *     forwards by more than that or after more than that
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
    public Chunk {
      frames = List.copyOf(frames);
    }

    @Override
    public <R> R match(
        Function<Chunk<P>, R> chunk, Function<Gap<P>, R> gap, Function<DeadFrame<P>, R> deadFrame) {
      return chunk.apply(this);
    }
  }

  /**
   * Chunks {@code [first, last]} without any frame, all of the run in one event; returned just
   * before the chunk that ends it.
   */
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
    CLOCK_JUMP,
    /** A lone step back of the sequence that the next frame did not confirm. */
    SEQUENCE_BACKWARDS,
    /** Capture time or sequence outside what any camera can mean. */
    OUT_OF_RANGE
  }
}

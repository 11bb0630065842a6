// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.chunk;

import java.util.List;

/**
 * All that the next {@link ChunkAssembler#offer} depends on, as plain values: part of a stream's
 * checkpointed state. Lists are immutable and bounded: {@code placed} by the settings (open chunks
 * times grid points), {@code waiting} by {@link ChunkAssembler#MAX_WAITING}, {@code held} by one,
 * {@code abandoned} by {@link ChunkAssembler#MAX_ABANDONED}, {@code rates} by the chunks that are
 * not closed. A frame stands in one list only.
 *
 * @param chunkMicros length of the stream's chunks, as long as it lives
 * @param rates grid points per chunk, ascending; at least one
 * @param started false for a stream of which nothing was seen; all else is then 0 or empty
 * @param placed frames that have their grid point, of chunks still open, in grid order
 * @param waiting frames behind a missing sequence number, in sequence order
 * @param held none or one: a frame with a suspicious capture time or sequence
 */
public record AssemblerState<P>(
    long chunkMicros,
    List<Rate> rates,
    boolean started,
    Progress progress,
    Sequences sequences,
    List<Placed<P>> placed,
    List<Frame<P>> waiting,
    List<Frame<P>> held) {
  public AssemblerState {
    rates = List.copyOf(rates);
    placed = List.copyOf(placed);
    waiting = List.copyOf(waiting);
    held = List.copyOf(held);
  }

  /**
   * How far chunks are closed.
   *
   * @param beganMicros capture time of the stream's first frame; names its life
   * @param anchorMicros capture time at which chunk {@code anchorChunk} starts
   * @param anchorChunk first chunk of the present grid: 0, or the first after a clock reset
   * @param nextChunk all chunks before it are closed
   * @param nextEvent all chunks before it were returned; {@code [nextEvent, nextChunk)} is a gap
   *     whose end is not known yet
   * @param completeMask bit {@code j}: chunk {@code nextChunk - 1 - j} was closed complete
   * @param clockMicros largest accepted capture time
   * @param clockArrivalMicros when the frame of that time arrived; negative: not known
   * @param surplus frames counted since the last event
   * @param duplicate likewise
   * @param clockReset to be told by the next chunk
   * @param dropVision to be told by the next chunk
   */
  public record Progress(
      long beganMicros,
      long anchorMicros,
      long anchorChunk,
      long nextChunk,
      long nextEvent,
      long completeMask,
      long clockMicros,
      long clockArrivalMicros,
      int surplus,
      int duplicate,
      boolean clockReset,
      boolean dropVision) {
    static final Progress NONE = new Progress(0, 0, 0, 0, 0, 0, 0, -1, 0, 0, false, false);
  }

  /**
   * Which sequence numbers were seen.
   *
   * @param settled all up to this one were seen or given up
   * @param settledMicros capture time of the frame settled last
   * @param horizon below it nothing is known
   * @param abandoned numbers in {@code [horizon, settled]} that were given up, ascending
   */
  public record Sequences(long settled, long settledMicros, long horizon, List<Range> abandoned) {
    static final Sequences NONE = new Sequences(0, 0, 0, List.of());

    public Sequences {
      abandoned = List.copyOf(abandoned);
    }
  }

  /** Sequence numbers {@code first} to {@code last}, both included. */
  public record Range(long first, long last) {}

  /** Chunks from {@code fromChunk} on have so many grid points. */
  public record Rate(long fromChunk, int framesPerChunk) {}

  /** A frame and its grid point. */
  public record Placed<P>(long chunk, int point, Frame<P> frame) {}

  static <P> AssemblerState<P> fresh(long chunkMicros, List<Rate> rates) {
    return new AssemblerState<>(
        chunkMicros, rates, false, Progress.NONE, Sequences.NONE, List.of(), List.of(), List.of());
  }
}

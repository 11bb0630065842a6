// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.chunk;

/**
 * How a stream is cut into chunks.
 *
 * @param chunkMicros length {@code d} of a chunk; at most an hour
 * @param framesPerChunk grid points of a chunk: {@code d * FPS}; at most 10,000
 * @param allowedLatenessMicros how far the stream's own clock runs past a chunk's end before it
 *     closes incomplete; also bounds what is kept of a stream: about {@code allowedLateness / d +
 *     2} open chunks of {@code framesPerChunk} frames
 * @param maxGapMicros a longer gap drops the visual rounds
 * @param maxClockJumpMicros a capture time that is further from what the clock can have become
 *     since the frame before arrived is a clock jump
 */
public record ChunkSettings(
    long chunkMicros,
    int framesPerChunk,
    long allowedLatenessMicros,
    long maxGapMicros,
    long maxClockJumpMicros) {
  private static final long HOUR = 3_600_000_000L;
  private static final int MAX_FRAMES = 10_000;

  /** A hundred years: far from the overflow of sums, farther than anybody waits. */
  private static final long MAX_SPAN = 100L * 365 * 24 * HOUR;

  public ChunkSettings {
    if (chunkMicros <= 0
        || chunkMicros > HOUR
        || framesPerChunk <= 0
        || framesPerChunk > MAX_FRAMES) {
      throw new IllegalArgumentException(
          ("chunk of %d us with %d frames; expected a length of 1 us to an hour and 1 to "
                  + "%d frames; correct chunk length and FPS")
              .formatted(chunkMicros, framesPerChunk, MAX_FRAMES));
    }
    if (allowedLatenessMicros < 0
        || maxGapMicros < 0
        || maxClockJumpMicros <= 0
        || allowedLatenessMicros > MAX_SPAN
        || maxGapMicros > MAX_SPAN
        || maxClockJumpMicros > MAX_SPAN) {
      throw new IllegalArgumentException(
          ("allowedLateness %d us, maxGap %d us, maxClockJump %d us; expected none "
                  + "negative, maxClockJump positive and all at most a hundred years; correct the "
                  + "one that is not")
              .formatted(allowedLatenessMicros, maxGapMicros, maxClockJumpMicros));
    }
  }

  /** The same limits for chunks of another length. */
  ChunkSettings withChunkMicros(long micros) {
    return new ChunkSettings(
        micros, framesPerChunk, allowedLatenessMicros, maxGapMicros, maxClockJumpMicros);
  }
}

// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.chunk;

/**
 * @param chunkMicros length {@code d} of a chunk
 * @param framesPerChunk grid points of a chunk: {@code d * FPS}
 * @param allowedLatenessMicros how far the stream's own clock runs past a chunk's end before it
 *     closes incomplete
 * @param maxGapMicros a longer gap drops the visual rounds
 * @param maxClockJumpMicros a larger step of the capture time is a clock jump
 */
public record ChunkSettings(
    long chunkMicros,
    int framesPerChunk,
    long allowedLatenessMicros,
    long maxGapMicros,
    long maxClockJumpMicros) {
  public ChunkSettings {
    if (chunkMicros <= 0 || framesPerChunk <= 0) {
      throw new IllegalArgumentException(
          "chunk of %d us with %d frames; both must be positive"
              .formatted(chunkMicros, framesPerChunk));
    }
    if (allowedLatenessMicros < 0 || maxGapMicros < 0 || maxClockJumpMicros <= 0) {
      throw new IllegalArgumentException(
          "allowedLateness %d us, maxGap %d us, maxClockJump %d us; none may be negative"
              .formatted(allowedLatenessMicros, maxGapMicros, maxClockJumpMicros));
    }
  }
}

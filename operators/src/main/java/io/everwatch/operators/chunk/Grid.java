// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.chunk;

/**
 * Where frames fall (architecture §3a.1). Grid point {@code k} of chunk {@code c} is {@code g = o +
 * c*d + k/FPS}; it is served by the first frame in sequence order with {@code g - D/2 <= t < g +
 * 1/FPS - D/2}, {@code D} the distance to the frame before, at most {@code 1/FPS}. For one frame
 * the intervals of all grid points tile the time line, so it serves exactly one of them:
 *
 * <pre>  floor((t - o + D/2) * FPS)</pre>
 *
 * computed in whole numbers, since {@code 1/FPS} need not be a whole number of microseconds.
 *
 * @param anchorMicros start of chunk {@code anchorChunk}: capture time of the first frame, of the
 *     stream or after a clock reset
 */
record Grid(long anchorMicros, long anchorChunk, long chunkMicros) {
  /** A grid point: {@code point} in {@code [0, framesPerChunk)} of its chunk. */
  record Place(long chunk, int point) {}

  long startMicros(long chunk) {
    return anchorMicros + (chunk - anchorChunk) * chunkMicros;
  }

  long endMicros(long chunk) {
    return startMicros(chunk) + chunkMicros;
  }

  /** The chunk whose interval holds {@code micros}. */
  long chunkAt(long micros) {
    return anchorChunk + Math.floorDiv(micros - anchorMicros, chunkMicros);
  }

  /**
   * The grid point that a frame may serve.
   *
   * @param distanceMicros to the frame before it; more than {@code 1/FPS} counts as that, less than
   *     0 as 0
   * @param framesPerChunk grid points of {@code chunkAt(captureMicros)}
   */
  Place place(long captureMicros, long distanceMicros, int framesPerChunk) {
    long chunk = chunkAt(captureMicros);
    long offset = captureMicros - startMicros(chunk); // [0, d)
    long distance = Math.min(Math.max(distanceMicros, 0), chunkMicros); // before it is multiplied
    long capped = Math.min(framesPerChunk * distance, chunkMicros); // D * FPS * d
    long point = (2L * framesPerChunk * offset + capped) / (2 * chunkMicros);
    return point == framesPerChunk ? new Place(chunk + 1, 0) : new Place(chunk, (int) point);
  }
}

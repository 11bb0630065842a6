// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.model;

/**
 * The text that opens each user turn: {@code Time=17.0-18.0s} (StreamingVLM §5). A pure function of
 * the chunk index: markers run up to the limit and then through {@code [limit/2, limit)} again and
 * again, because a model knows only the numbers it was trained on (architecture §4). Event times
 * never wrap.
 */
public final class TimeMarker {
  /** Markers have one decimal, so a chunk is a whole number of these. */
  static final long TENTH_MICROS = 100_000;

  private TimeMarker() {}

  /**
   * The marker of one chunk.
   *
   * @param chunk index on the stream's grid, from 0
   * @throws IllegalArgumentException if the chunk is negative or the settings allow fewer than two
   *     different markers
   */
  public static String text(long chunk, StreamSettings settings) {
    return text(chunk, settings.chunkMicros(), Math.round(settings.markerLimitSeconds() * 1e6));
  }

  static String text(long chunk, long chunkMicros, long limitMicros) {
    long shown = shown(chunk, limitMicros / chunkMicros);
    return "Time="
        + seconds(Math.multiplyExact(shown, chunkMicros))
        + "-"
        + seconds(Math.multiplyExact(shown + 1, chunkMicros))
        + "s";
  }

  /**
   * @param count chunks that end by the limit
   */
  private static long shown(long chunk, long count) {
    if (chunk < 0 || count < 2) {
      throw new IllegalArgumentException(
          "chunk %d with %d time markers below the limit; expected a chunk from 0 and at least two markers; raise marker_limit"
              .formatted(chunk, count));
    }
    if (chunk < count) {
      return chunk;
    }
    long half = count / 2;
    return half + (chunk - count) % (count - half);
  }

  /** One decimal, always a point: independent of any locale. */
  private static String seconds(long micros) {
    if (micros % TENTH_MICROS != 0) {
      throw new IllegalArgumentException(
          "a time marker at %d us has more than one decimal; choose a chunk of whole tenths of a second"
              .formatted(micros));
    }
    long tenths = micros / TENTH_MICROS;
    return tenths / 10 + "." + tenths % 10;
  }
}

// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.camera;

/** Of each interval of {@code 1 / fps} seconds the first frame. */
final class Thinning {
  /** Capture times are whole microseconds; a frame this much early still counts as on time. */
  private static final long ROUNDING_MICROS = 1;

  private final double fps;
  private final long earlyMicros;
  private long interval = -1;

  private Thinning(double fps, long earlyMicros) {
    this.fps = FrameRate.require(fps);
    this.earlyMicros = earlyMicros;
  }

  /** Of frames with exact times. */
  static Thinning exact(double fps) {
    return new Thinning(fps, ROUNDING_MICROS);
  }

  /** Of frames that come a little early or late: none is passed over that is on time by half. */
  static Thinning ofJitter(double fps) {
    return new Thinning(fps, (long) (5e5 / FrameRate.require(fps)));
  }

  /** Whether to take the frame of this time, microseconds since the start; never decreasing. */
  boolean takes(long micros) {
    long at = (long) Math.floor((micros + earlyMicros) * fps / 1e6);
    if (at <= interval) {
      return false;
    }
    interval = at;
    return true;
  }
}

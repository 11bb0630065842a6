// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.camera;

import io.everwatch.job.camera.LiveOptions.CameraTime;
import java.util.OptionalLong;
import java.util.function.LongSupplier;

/**
 * Capture times of one camera over all its connections, strictly increasing whatever its clock
 * does: when that is set back, they go on from where they were; when it is set forward, they
 * follow.
 *
 * <p>Of the camera's time: with sender reports (RTCP, RFC 3550 section 6.4.1) its own clock;
 * without, the arrival of a connection's first frame and from there on the time stamps, which are
 * even where arrival is not.
 */
final class CaptureClock {
  /** For so long the first frames wait for the first sender report. */
  static final long REPORT_MICROS = 5_000_000;

  /** Steps back up to this are waited out; larger ones mean that somebody set the clock. */
  static final long STEP_MICROS = 1_000_000;

  /** 2001-09-09: a camera that says less does not know the time. */
  private static final long FIRST_PLAUSIBLE_MICROS = 1_000_000_000_000_000L;

  private final CameraTime time;
  private final boolean awaitsReports;
  private final LongSupplier nowMicros;
  private OptionalLong anchor = OptionalLong.empty();
  private OptionalLong firstArrival = OptionalLong.empty();

  /** How far the camera's clock is behind ours, transport included; zero until it is known. */
  private long behindMicros;

  private boolean reported;
  private long correctionMicros;
  private long lastMicros = Long.MIN_VALUE;

  /**
   * @param awaitsReports whether sender reports may come
   * @param nowMicros the time here, microseconds since the epoch
   */
  CaptureClock(CameraTime time, boolean awaitsReports, LongSupplier nowMicros) {
    this.time = time;
    this.awaitsReports = awaitsReports;
    this.nowMicros = nowMicros;
  }

  /** A new connection, whose time stamps begin anew. */
  void connected() {
    anchor = OptionalLong.empty();
  }

  /**
   * Capture time of a frame, microseconds since the epoch.
   *
   * @param offsetMicros time stamp since the connection's first frame
   * @param cameraMicros by the camera's clock, as far as it tells
   * @return empty while the first sender report is awaited
   */
  OptionalLong at(long offsetMicros, OptionalLong cameraMicros) {
    long now = nowMicros.getAsLong();
    if (time == CameraTime.ARRIVAL) {
      return OptionalLong.of(increasing(now));
    }
    if (cameraMicros.isPresent() && cameraMicros.getAsLong() >= FIRST_PLAUSIBLE_MICROS) {
      reported = true;
      behindMicros = now - cameraMicros.getAsLong();
      anchor = OptionalLong.of(cameraMicros.getAsLong() - offsetMicros);
    } else if (anchor.isEmpty()) {
      if (awaitsReports && !reported && waitedFor(now) < REPORT_MICROS) {
        return OptionalLong.empty();
      }
      anchor = OptionalLong.of(now - behindMicros - offsetMicros);
    }
    return OptionalLong.of(increasing(anchor.getAsLong() + offsetMicros));
  }

  private long waitedFor(long now) {
    if (firstArrival.isEmpty()) {
      firstArrival = OptionalLong.of(now);
    }
    return now - firstArrival.getAsLong();
  }

  private long increasing(long micros) {
    long corrected = micros + correctionMicros;
    if (corrected <= lastMicros) {
      if (lastMicros - corrected > STEP_MICROS) {
        correctionMicros += lastMicros + 1 - corrected;
      }
      corrected = lastMicros + 1;
    }
    lastMicros = corrected;
    return corrected;
  }
}

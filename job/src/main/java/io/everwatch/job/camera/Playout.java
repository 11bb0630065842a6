// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.camera;

import java.time.Duration;
import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;

/**
 * Plays what comes in bursts, as the segments of HLS do, at the pace of its time stamps. Who is
 * late, or sees the time stamps jump, begins anew from there.
 */
final class Playout {
  /** Off by more than this, it is no jitter. */
  private static final long STEP_MICROS = 15_000_000;

  private static final long LATE_MICROS = 1_000_000;

  private final Stopping stopping;
  private OptionalLong startMicros = OptionalLong.empty();
  private long lastOffsetMicros;

  Playout(Stopping stopping) {
    this.stopping = stopping;
  }

  /** The time stamps begin anew. */
  void connected() {
    startMicros = OptionalLong.empty();
  }

  /** Returns when the frame is due; true when that is no longer wanted. */
  boolean await(long offsetMicros) throws InterruptedException {
    long now = TimeUnit.NANOSECONDS.toMicros(System.nanoTime());
    long early = startMicros.orElse(now - offsetMicros) + offsetMicros - now;
    boolean back = offsetMicros < lastOffsetMicros;
    lastOffsetMicros = offsetMicros;
    if (startMicros.isEmpty() || back || early < -LATE_MICROS || early > STEP_MICROS) {
      startMicros = OptionalLong.of(now - offsetMicros);
      early = 0;
    }
    return early > 0
        ? stopping.await(Duration.ofNanos(TimeUnit.MICROSECONDS.toNanos(early)))
        : stopping.requested();
  }
}

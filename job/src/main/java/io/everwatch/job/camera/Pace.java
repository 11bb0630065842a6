// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.camera;

import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.concurrent.TimeUnit;

/** When a frame may be sent. */
@FunctionalInterface
public interface Pace {
  /** Returns when a frame of this capture time (microseconds since the epoch) is due. */
  void await(long captureMicros) throws InterruptedException;

  /** As fast as the broker takes them. */
  static Pace fast() {
    return captureMicros -> {};
  }

  /** As a live camera: each frame when the wall clock reaches its capture time. */
  static Pace realtime() {
    return captureMicros -> TimeUnit.MICROSECONDS.sleep(captureMicros - micros(Clock.systemUTC()));
  }

  /** As {@link #realtime()}, but at once when all is to end. */
  static Pace realtime(Stopping stopping) {
    return captureMicros ->
        stopping.await(Duration.of(captureMicros - micros(Clock.systemUTC()), ChronoUnit.MICROS));
  }

  /** Microseconds since the epoch. */
  static long micros(Clock clock) {
    return ChronoUnit.MICROS.between(Instant.EPOCH, clock.instant());
  }
}

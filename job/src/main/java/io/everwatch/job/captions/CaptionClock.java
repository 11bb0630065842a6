// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.captions;

import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.time.temporal.ChronoUnit;
import java.util.Locale;

/** How a capture time is shown. */
@FunctionalInterface
public interface CaptionClock {
  /**
   * Shows one.
   *
   * @param micros capture time, microseconds since the epoch
   */
  String show(long micros);

  /** Hours, minutes, seconds since {@code originMicros}: a place in a file. */
  static CaptionClock since(long originMicros) {
    return micros -> elapsed(micros - originMicros);
  }

  /** The time of day there. */
  static CaptionClock timeOfDay(ZoneId zone) {
    DateTimeFormatter format = DateTimeFormatter.ofPattern("HH:mm:ss", Locale.ROOT).withZone(zone);
    return micros -> format.format(Instant.EPOCH.plus(micros, ChronoUnit.MICROS));
  }

  /** Date and time in UTC: {@code 2026-11-20T09:00:00.500Z}. */
  static CaptionClock instant() {
    DateTimeFormatter format =
        DateTimeFormatter.ofPattern("yyyy-MM-dd'T'HH:mm:ss.SSS'Z'", Locale.ROOT)
            .withZone(ZoneOffset.UTC);
    return micros -> format.format(Instant.EPOCH.plus(micros, ChronoUnit.MICROS));
  }

  /** {@code 01:02:03.500}; the form of WebVTT. */
  static String elapsed(long micros) {
    Duration time = Duration.of(micros, ChronoUnit.MICROS);
    return String.format(
        Locale.ROOT,
        "%02d:%02d:%02d.%03d",
        time.toHours(),
        time.toMinutesPart(),
        time.toSecondsPart(),
        time.toMillisPart());
  }
}

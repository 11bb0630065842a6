// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.cli;

import io.everwatch.job.config.Parsers;
import java.time.Duration;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/**
 * Durations on the command line, in the forms of the configuration; something, and not for ever.
 */
final class DurationConverter implements ITypeConverter<Duration> {
  private static final Duration LONGEST = Duration.ofDays(3650);

  @Override
  public Duration convert(String text) {
    Duration duration;
    try {
      duration = Parsers.duration(text);
    } catch (IllegalArgumentException e) {
      throw new TypeConversionException("'%s': %s".formatted(text, e.getMessage()));
    }
    if (duration.isZero() || duration.isNegative() || duration.compareTo(LONGEST) > 0) {
      throw new TypeConversionException(
          "'%s': expected more than 0 and at most %d h".formatted(text, LONGEST.toHours()));
    }
    return duration;
  }
}

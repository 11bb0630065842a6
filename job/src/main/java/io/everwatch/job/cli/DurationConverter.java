// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.cli;

import io.everwatch.job.config.Parsers;
import java.time.DateTimeException;
import java.time.Duration;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Durations on the command line, in the forms of the configuration. */
final class DurationConverter implements ITypeConverter<Duration> {
  @Override
  public Duration convert(String text) {
    try {
      return Parsers.duration(text);
    } catch (IllegalArgumentException | ArithmeticException | DateTimeException e) {
      throw new TypeConversionException("'%s': %s".formatted(text, e.getMessage()));
    }
  }
}

// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.cli;

import java.time.DateTimeException;
import java.time.Instant;
import java.time.OffsetDateTime;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Points in time on the command line. */
final class InstantConverter implements ITypeConverter<Instant> {
  @Override
  public Instant convert(String text) {
    try {
      return OffsetDateTime.parse(text).toInstant();
    } catch (DateTimeException e) {
      throw new TypeConversionException(
          "'%s' is no time; expected one with its zone, such as 2026-11-20T09:00:00Z or 2026-11-20T10:00:00+01:00"
              .formatted(text));
    }
  }
}

// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.cli;

import io.everwatch.job.benchmark.Benchmark;
import java.util.Locale;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** {@code inf-streams} or {@code livesports}. */
final class BenchmarkConverter implements ITypeConverter<Benchmark> {
  @Override
  public Benchmark convert(String value) {
    try {
      return Benchmark.valueOf(value.toUpperCase(Locale.ROOT).replace('-', '_'));
    } catch (IllegalArgumentException e) {
      throw new TypeConversionException(
          "'%s' is no benchmark known here; expected inf-streams or livesports".formatted(value));
    }
  }
}

// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.cli;

import io.everwatch.job.config.Parsers;
import io.everwatch.kernels.DType;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Types to compute in, on the command line. */
final class DTypeConverter implements ITypeConverter<DType> {
  @Override
  public DType convert(String text) {
    try {
      return Parsers.dtype(text).orElseThrow();
    } catch (IllegalArgumentException e) {
      throw new TypeConversionException("'%s': %s".formatted(text, e.getMessage()));
    }
  }
}

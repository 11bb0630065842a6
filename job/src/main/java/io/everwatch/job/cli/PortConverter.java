// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.cli;

import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Ports on the command line; 0 stands for none where a port may be left out. */
final class PortConverter implements ITypeConverter<Integer> {
  private static final int LAST = 65_535;

  @Override
  public Integer convert(String text) {
    if (!text.matches("\\d{1,5}") || Integer.parseInt(text) > LAST) {
      throw new TypeConversionException("'%s': expected a port, 0 to %d".formatted(text, LAST));
    }
    return Integer.parseInt(text);
  }
}

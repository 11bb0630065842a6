// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.cli;

import io.everwatch.job.captions.CaptionFormat;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Formats of captions on the command line. */
final class CaptionFormatConverter implements ITypeConverter<CaptionFormat> {
  @Override
  public CaptionFormat convert(String text) {
    try {
      return CaptionFormat.parse(text);
    } catch (IllegalArgumentException e) {
      throw new TypeConversionException(e.getMessage());
    }
  }
}

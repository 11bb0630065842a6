// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.cli;

import io.everwatch.kernels.DeviceName;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Devices on the command line. */
final class DeviceConverter implements ITypeConverter<DeviceName> {
  @Override
  public DeviceName convert(String text) {
    try {
      return DeviceName.parse(text);
    } catch (IllegalArgumentException e) {
      throw new TypeConversionException("'%s': %s".formatted(text, e.getMessage()));
    }
  }
}

// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels;

/** What {@link Backends} finds by {@code ServiceLoader}; opening is a step of its own. */
public interface BackendProvider {
  /** {@code cpu} or {@code cuda}. */
  String name();

  /** Whether this machine can run it, and if not, what to do; never throws. */
  Availability availability();

  /** Whether {@code auto} takes it where it is usable: not what only stands in for a device. */
  default boolean preferred() {
    return availability().usable();
  }

  /**
   * Opens the device.
   *
   * @throws DeviceException when it cannot be opened; the message says what to do
   */
  Backend open(BackendOptions options);

  /**
   * What this machine offers.
   *
   * @param usable whether {@link #open} can be expected to work
   * @param detail one line for {@code everwatch doctor}: library, version, instruction set, device
   * @param advice what to do when not usable; empty otherwise
   */
  record Availability(boolean usable, String detail, String advice) {}
}

// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.engine;

import io.everwatch.kernels.DeviceException;
import java.util.OptionalInt;

/**
 * What a process ends with when it can use its device no more (architecture §6). It ends at once,
 * without waiting for threads that wait for the device; whoever supervises it starts it again, and
 * Flink restores its streams elsewhere meanwhile.
 */
public final class DeviceExit {
  /** The device was lost: illegal address, launch failure, uncorrectable memory. */
  public static final int DEVICE_LOST = 70;

  /** A step ran over {@link EngineOptions#stepTimeout}. */
  public static final int STEP_HUNG = 71;

  private DeviceExit() {}

  /** The exit code for a failure after which the device cannot be used; none for any other. */
  static OptionalInt of(Throwable failure) {
    if (!(failure instanceof DeviceException device)) {
      return OptionalInt.empty();
    }
    return switch (device.failure()) {
      case LOST -> OptionalInt.of(DEVICE_LOST);
      case HUNG -> OptionalInt.of(STEP_HUNG);
      case REFUSED -> OptionalInt.empty(); // the device is intact
    };
  }
}

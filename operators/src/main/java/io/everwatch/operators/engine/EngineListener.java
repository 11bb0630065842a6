// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.engine;

import io.everwatch.kernels.DeviceException;
import java.util.List;

/** Hears what a seat's submissions came to. Called on the engine's thread: hand over and return. */
@FunctionalInterface
public interface EngineListener {
  /** Results of one device step for this seat; never empty. */
  void finished(List<RoundResult> results);

  /**
   * The device is lost or hangs: no result will come any more, and the process must end
   * (architecture §6).
   */
  default void lost(DeviceException cause) {}
}

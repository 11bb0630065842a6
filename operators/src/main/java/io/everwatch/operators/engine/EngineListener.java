// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.engine;

import java.util.List;

/** Hears what a seat's submissions came to. Called on the engine's thread: hand over and return. */
@FunctionalInterface
public interface EngineListener {
  /** Results of one device step for this seat; never empty. */
  void finished(List<RoundResult> results);

  /**
   * The engine has ended by itself: no result will come any more. Either the device is lost or
   * hangs, and the process ends ({@link DeviceExit}), or the engine failed, and another must be
   * opened.
   *
   * @param cause a {@code DeviceException}, or what the step thread failed with: an {@code
   *     OutOfMemoryError} for its user to judge, or a fault of the engine's own
   */
  default void ended(Throwable cause) {}
}

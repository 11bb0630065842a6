// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.flink;

import io.everwatch.operators.engine.Engine;
import io.everwatch.operators.engine.EngineOptions;
import io.everwatch.operators.engine.Engines;
import java.io.Serializable;

/** Travels with the job and finds the engine where the operator runs. */
@FunctionalInterface
public interface EngineProvider extends Serializable {
  /**
   * The engine; the caller closes it, which ends it when nobody else has it.
   *
   * @param gpus of the subtask that asks
   */
  Engine acquire(TaskGpus gpus);

  /** One engine per process for these options, on the device that they name. */
  static EngineProvider shared(EngineOptions options) {
    return gpus -> Engines.shared(options);
  }

  /** One engine per GPU of a TaskManager for these options, shared by the subtasks that use it. */
  static EngineProvider ofTaskManager(EngineOptions options) {
    return gpus ->
        Engines.shared(options.toBuilder().device(gpus.device(options.device())).build());
  }
}

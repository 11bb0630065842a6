// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.flink;

import io.everwatch.operators.engine.Engine;
import io.everwatch.operators.engine.EngineOptions;
import io.everwatch.operators.engine.Engines;
import java.io.Serializable;

/** Travels with the job and finds the engine where the operator runs. */
@FunctionalInterface
public interface EngineProvider extends Serializable {
  /** The engine; the caller closes it, which ends it when nobody else has it. */
  Engine acquire();

  /** One engine per process for these options, shared by all subtasks. */
  static EngineProvider shared(EngineOptions options) {
    return () -> Engines.shared(options);
  }
}

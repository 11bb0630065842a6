// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.engine;

import io.everwatch.operators.engine.EngineMetrics.Stages;

/** Adds up nanoseconds by stage; one thread. */
final class StageClock {
  long frames;
  long vision;
  long load;
  long prefill;
  long decode;
  long sample;

  Stages stages() {
    return new Stages(frames, vision, load, prefill, decode, sample);
  }
}

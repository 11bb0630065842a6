// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.engine;

import io.everwatch.operators.cache.StreamMemory;
import io.everwatch.operators.model.StreamSettings;

/** One stream's deterministic state machine: (memory, counters, seed) x chunk → (memory, text). */
public interface StreamSession {
  String streamId();

  StreamSettings settings();

  /** Rounds made so far. */
  long rounds();

  /** The committed memory. */
  StreamMemory memory();
}

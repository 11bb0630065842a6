// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.offline;

import io.everwatch.operators.engine.RoundInput;
import io.everwatch.operators.engine.RoundResult;
import io.everwatch.operators.model.StreamSettings;
import java.io.IOException;
import java.util.Optional;

/** One stream's rounds, one after the other. All calls come from the driving thread. */
public interface Rounds {
  String streamId();

  StreamSettings settings();

  /** The next round, or empty when the stream has ended. Asked for after the answer to the last. */
  Optional<RoundInput> next() throws IOException;

  /** Whether the round that {@link #next} just gave begins with nothing remembered. */
  default boolean afresh() {
    return false;
  }

  /** What the last round came to. */
  void answered(RoundResult result);
}

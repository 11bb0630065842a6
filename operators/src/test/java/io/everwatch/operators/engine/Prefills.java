// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.engine;

import io.everwatch.operators.model.PrefillSettings;
import io.everwatch.operators.model.SamplingChanges;
import io.everwatch.operators.model.StreamSettings;
import java.util.Map;

/** Settings of how prompts are computed. */
final class Prefills {
  private Prefills() {}

  /** In pieces of so many rows. */
  static PrefillSettings inPieces(int longest) {
    PrefillSettings d = PrefillSettings.DEFAULT;
    return new PrefillSettings(
        longest,
        d.sparse(),
        d.block(),
        d.gamma(),
        d.tau(),
        d.minBudget(),
        d.maxBudget(),
        d.minChunk(),
        d.denseLastRow());
  }

  /** In pieces of so many rows, with answers of up to so many tokens. */
  static StreamSettings inPieces(StreamSettings settings, int longest, int maxNewTokens) {
    return SamplingChanges.apply(
        settings, Map.of("prefill_piece", "" + longest, "max_new_tokens", "" + maxNewTokens));
  }
}

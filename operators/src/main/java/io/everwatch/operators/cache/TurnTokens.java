// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.cache;

import java.util.Set;

/**
 * The ids by which the end of an assistant turn is known; looked up in the tokenizer at start-up.
 *
 * @param pause the pause token {@code " ..."}; a turn of it alone is silence
 * @param ends all ids that end a turn ({@code <|im_end|>}, {@code <|endoftext|>})
 */
public record TurnTokens(int pause, Set<Integer> ends) {
  public TurnTokens {
    ends = Set.copyOf(ends);
    if (ends.isEmpty() || ends.contains(pause)) {
      throw new IllegalArgumentException(
          ("end tokens %s and pause token %d; expected at least one end token, and a "
                  + "pause token that is none of them; look both up in the tokenizer")
              .formatted(ends, pause));
    }
  }
}

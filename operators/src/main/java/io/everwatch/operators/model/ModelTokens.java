// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.model;

import java.util.List;

/**
 * Token ids that the model's configuration names (Qwen2.5-VL §3.2).
 *
 * @param endOfTurn ids of {@code eos_token_id}; the first ends a chat turn
 */
public record ModelTokens(
    int visionStart, int visionEnd, int imagePad, int videoPad, List<Integer> endOfTurn) {
  public ModelTokens {
    endOfTurn = List.copyOf(endOfTurn);
  }
}

// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.cache;

/**
 * How much a stream remembers (StreamingVLM §7.1).
 *
 * @param textRounds {@code Rt}: rounds whose turns stay in place, the current one included; at
 *     least 2, so that a turn has all its K and V before its words move
 * @param visualRounds {@code Rv}: rounds whose vision stays, the current one included; at least 1
 * @param cutText whether {@code previous text} is cut to sink and window; false lets it grow for
 *     ever (baselines only)
 * @param textSink {@code S}: first tokens of {@code previous text} that stay for ever
 * @param textWindow {@code Wt}: last tokens of {@code previous text} that stay
 */
public record RetentionWindow(
    int textRounds, int visualRounds, boolean cutText, int textSink, int textWindow) {
  public RetentionWindow {
    if (textRounds < 2 || visualRounds < 1) {
      throw new IllegalArgumentException(
          ("%d text rounds and %d visual rounds; expected at least 2 and 1: the newest "
                  + "turn has no K and V of its last token yet, and the current picture is always "
                  + "kept; raise the setting")
              .formatted(textRounds, visualRounds));
    }
    if (cutText && (textSink < 0 || textWindow < 0)) {
      throw new IllegalArgumentException(
          ("text sink %d and text window %d; neither may be negative; to keep all text "
                  + "switch the cut off")
              .formatted(textSink, textWindow));
    }
  }

  /** A window that never cuts {@code previous text}. */
  public static RetentionWindow uncut(int textRounds, int visualRounds) {
    return new RetentionWindow(textRounds, visualRounds, false, 0, 0);
  }
}

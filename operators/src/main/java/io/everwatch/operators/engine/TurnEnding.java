// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.engine;

import io.everwatch.operators.cache.TurnTokens;
import io.everwatch.operators.engine.RoundResult.Outcome;
import io.everwatch.operators.engine.RoundResult.Silent;
import io.everwatch.operators.engine.RoundResult.Spoke;
import io.everwatch.operators.engine.RoundResult.StopReason;
import java.util.Arrays;

/** What a finished turn means, and how it is remembered (StreamingVLM §5, §6.6, §16.1). */
final class TurnEnding {
  /** How a turn that ran into its length limit is closed. */
  enum CutTurn {
    /** As the model would have ended it: pause, then end of turn. */
    PAUSE_AND_END,
    /** As published; golden traces need it. */
    END_ONLY
  }

  private final TurnTokens tokens;
  private final int endOfTurn;
  private final Words words;
  private final CutTurn cut;

  /**
   * @param endOfTurn the id that closes a chat turn, one of {@code tokens.ends()}
   */
  TurnEnding(TurnTokens tokens, int endOfTurn, Words words, CutTurn cut) {
    this.tokens = tokens;
    this.endOfTurn = endOfTurn;
    this.words = words;
    this.cut = cut;
  }

  /** The ids that the memory keeps: those generated, closed as the grammar wants it. */
  int[] remembered(int[] output) {
    int last = output[output.length - 1];
    if (last == endOfTurn) {
      return output;
    }
    boolean pause =
        cut == CutTurn.PAUSE_AND_END && last != tokens.pause() && !tokens.ends().contains(last);
    int[] ids = Arrays.copyOf(output, output.length + (pause ? 2 : 1));
    if (pause) {
      ids[output.length] = tokens.pause();
    }
    ids[ids.length - 1] = endOfTurn;
    return ids;
  }

  /** Words are recognised by the ids around them, never by cutting characters. */
  Outcome outcome(int[] output) {
    boolean ended = tokens.ends().contains(output[output.length - 1]);
    StopReason stop = ended ? StopReason.END_OF_TURN : StopReason.MAX_NEW_TOKENS;
    int spoken = spoken(output);
    return spoken == 0
        ? new Silent(output.length, stop)
        : new Spoke(words.decode(Arrays.copyOf(output, spoken)), output.length, stop);
  }

  /** The text of a whole turn; empty: silence. */
  String text(int[] turn) {
    return words.decode(Arrays.copyOf(turn, spoken(turn)));
  }

  /** The turn that has this text, closed as the model closes it. */
  int[] turn(String text) {
    int[] spoken = words.encode(text);
    int[] ids = Arrays.copyOf(spoken, spoken.length + 2);
    ids[spoken.length] = tokens.pause();
    ids[spoken.length + 1] = endOfTurn;
    return ids;
  }

  /** Ids before the end and the pause. */
  private int spoken(int[] turn) {
    int count = turn.length;
    while (count > 0 && tokens.ends().contains(turn[count - 1])) {
      count--;
    }
    return count > 0 && turn[count - 1] == tokens.pause() ? count - 1 : count;
  }
}

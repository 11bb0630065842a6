// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.engine;

import io.everwatch.operators.cache.SegmentKind;
import io.everwatch.operators.cache.TurnTokens;
import io.everwatch.operators.cache.VideoGrid;
import io.everwatch.operators.model.StreamSettings;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/** The shape of the prompt grammar in a vocabulary of forty ids. */
final class FakePrompts implements RoundPlanner.Prompts {
  static final int VOCABULARY = 40;
  static final int END = 0;
  static final int PAUSE = 1;
  static final TurnTokens TURN = new TurnTokens(PAUSE, Set.of(END));
  private static final int START = 2;
  private static final int NEWLINE = 3;
  private static final int PAD = 4;

  @Override
  public List<RoundPlanner.Part> head(StreamSettings settings) {
    int[] instruction = settings.instruction().chars().map(c -> 10 + c % 30).toArray();
    return List.of(
        part(SegmentKind.SYSTEM, START, 5, END, NEWLINE),
        part(SegmentKind.MEMORY_OPEN, START, 6),
        part(SegmentKind.MEMORY, instruction),
        part(SegmentKind.MEMORY_CLOSE, END, NEWLINE));
  }

  @Override
  public List<RoundPlanner.Part> round(StreamSettings settings, RoundPlanner.UserTurn turn) {
    List<RoundPlanner.Part> parts = new ArrayList<>();
    if (turn.afterTurn()) {
      parts.add(part(SegmentKind.ASSISTANT_CLOSE, NEWLINE));
    }
    long chunk = turn.chunk();
    parts.add(part(SegmentKind.USER_OPEN, START, 9));
    parts.add(part(SegmentKind.MARKER, (int) (10 + chunk % 10), (int) (10 + chunk / 10 % 10)));
    VideoGrid grid = turn.grid();
    if (grid != null) {
      int[] vision = new int[grid.tokens() + 2];
      Arrays.fill(vision, PAD);
      vision[0] = 7;
      vision[vision.length - 1] = 8;
      parts.add(new RoundPlanner.Part(SegmentKind.VISION, vision, grid));
    }
    parts.add(part(SegmentKind.QUERY, WORDS.encode(turn.question())));
    parts.add(part(SegmentKind.USER_CLOSE, END, NEWLINE));
    parts.add(part(SegmentKind.ASSISTANT_OPEN, START, 5, NEWLINE));
    return parts;
  }

  private static RoundPlanner.Part part(SegmentKind kind, int... ids) {
    return new RoundPlanner.Part(kind, ids, null);
  }

  /** Words w2, w11 …: one id each. */
  static final Words WORDS =
      new Words() {
        @Override
        public int[] encode(String text) {
          return Arrays.stream(text.split(" ", -1))
              .filter(word -> !word.isEmpty())
              .mapToInt(word -> Integer.parseInt(word.substring(1)))
              .toArray();
        }

        @Override
        public String decode(int[] ids) {
          return Arrays.stream(ids).mapToObj(id -> " w" + id).collect(Collectors.joining());
        }
      };
}

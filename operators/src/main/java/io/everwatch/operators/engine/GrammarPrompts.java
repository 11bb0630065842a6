// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.engine;

import io.everwatch.operators.cache.SegmentKind;
import io.everwatch.operators.cache.VideoGrid;
import io.everwatch.operators.engine.RoundPlanner.Part;
import io.everwatch.operators.engine.RoundPlanner.UserTurn;
import io.everwatch.operators.model.ChatGrammar;
import io.everwatch.operators.model.StreamSettings;
import java.util.ArrayList;
import java.util.List;

/** Rounds in the order of the published prompt (StreamingVLM §5). */
class GrammarPrompts implements RoundPlanner.Prompts {
  private final ChatGrammar grammar;

  GrammarPrompts(ChatGrammar grammar) {
    this.grammar = grammar;
  }

  @Override
  public List<Part> head(StreamSettings settings) {
    return List.of(
        text(SegmentKind.SYSTEM, grammar.system()),
        text(SegmentKind.MEMORY_OPEN, grammar.memoryOpen()),
        text(SegmentKind.MEMORY, context(settings)),
        text(SegmentKind.MEMORY_CLOSE, grammar.memoryClose()));
  }

  /** What {@code previous text} holds when the stream starts. */
  int[] context(StreamSettings settings) {
    return grammar.context(settings);
  }

  @Override
  public List<Part> round(StreamSettings settings, UserTurn turn) {
    List<Part> parts = new ArrayList<>();
    if (turn.afterTurn()) {
      parts.add(text(SegmentKind.ASSISTANT_CLOSE, grammar.assistantClose()));
    }
    parts.add(text(SegmentKind.USER_OPEN, grammar.userOpen()));
    parts.add(text(SegmentKind.MARKER, grammar.marker(turn.chunk(), settings)));
    VideoGrid grid = turn.grid();
    if (grid != null) {
      parts.add(new Part(SegmentKind.VISION, grammar.vision(grid.tokens()), grid));
    }
    if (turn.first()) {
      parts.add(text(SegmentKind.QUERY, grammar.query(settings)));
    }
    parts.add(text(SegmentKind.QUERY, grammar.outside(turn.question())));
    parts.add(text(SegmentKind.USER_CLOSE, grammar.userClose()));
    parts.add(text(SegmentKind.ASSISTANT_OPEN, grammar.assistantOpen()));
    return parts;
  }

  private static Part text(SegmentKind kind, int[] ids) {
    return new Part(kind, ids, null);
  }
}

// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.wall;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.everwatch.schemas.avro.MemoryFigures;
import io.everwatch.schemas.avro.TextEvent;
import io.everwatch.schemas.avro.TextKind;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** A stream's memory over time as the pages get it (docs/wall.md). */
final class MemoryJson {
  private static final int POINTS = 600;

  private MemoryJson() {}

  /**
   * All there is to say.
   *
   * @param said of one stream, oldest first
   */
  static ObjectNode of(List<Said> said) {
    List<TextEvent> rounds = new ArrayList<>();
    long life = said.isEmpty() ? 0 : said.get(said.size() - 1).event().getBeganMicros();
    for (Said one : said) {
      if (one.event().getMemory() != null && one.event().getBeganMicros() == life) {
        rounds.add(one.event());
      }
    }
    ObjectNode node = WallJson.NODES.objectNode();
    int newest = rounds.size() - 1;
    node.set("now", newest < 0 ? null : figures(rounds.get(newest).getMemory()));
    series(node.putArray("series"), rounds);
    node.set("text", text(rounds).orElse(null));
    ObjectNode settings = null;
    if (newest >= 0) {
      settings = WallJson.NODES.objectNode();
      settings.put("visualRounds", newest - firstSeen(rounds, newest) + 1);
    }
    node.set("settings", settings);
    return node;
  }

  static @Nullable ObjectNode figures(@Nullable MemoryFigures memory) {
    return memory == null
        ? null
        : rows(WallJson.NODES.objectNode(), memory)
            .put("position", memory.getPosition())
            .put("contextTokens", memory.getContextRows())
            .put("sinkTokens", memory.getSinkRows())
            .put("windowTokens", memory.getContextRows() - memory.getSinkRows())
            .put("full", memory.getContextFull())
            .put("countedFromRound", memory.getCountedFromRound());
  }

  private static ObjectNode rows(ObjectNode node, MemoryFigures memory) {
    return node.put("vision", memory.getVisionRows())
        .put("generated", memory.getGeneratedRows())
        .put("context", memory.getContextRows())
        .put("rest", memory.getRestRows())
        .put("computed", memory.getComputedRows());
  }

  private static void series(ArrayNode series, List<TextEvent> rounds) {
    int step = (rounds.size() + POINTS - 1) / POINTS;
    for (int i = 0; i < rounds.size(); i++) {
      if ((rounds.size() - 1 - i) % step == 0) { // the newest is among them
        TextEvent event = rounds.get(i);
        rows(
            series
                .addObject()
                .put("chunk", event.getChunk())
                .put("endMicros", event.getEndMicros()),
            event.getMemory());
      }
    }
  }

  /** The text memory when it was told last, and what has moved into it since. */
  private static Optional<ObjectNode> text(List<TextEvent> rounds) {
    for (int i = rounds.size() - 1; i >= 0; i--) {
      MemoryFigures memory = rounds.get(i).getMemory();
      if (memory.getSink() != null || memory.getWindow() != null) {
        ObjectNode node = WallJson.NODES.objectNode();
        node.put("asOfChunk", rounds.get(i).getChunk());
        node.put("sink", memory.getSink()).put("window", memory.getWindow());
        ArrayNode added = node.putArray("added");
        int to = firstSeen(rounds, rounds.size() - 1);
        for (TextEvent event : rounds.subList(firstSeen(rounds, i), to)) {
          if (event.getKind() == TextKind.COMMENT) {
            added.add(event.getText());
          }
        }
        return Optional.of(node);
      }
    }
    return Optional.empty();
  }

  /**
   * The first round whose pictures are still there after the one at an index: as many as what they
   * generated adds up to.
   */
  private static int firstSeen(List<TextEvent> rounds, int at) {
    int left = rounds.get(at).getMemory().getGeneratedRows();
    int first = at + 1;
    while (first > 0 && left >= rounds.get(first - 1).getTokenCount() && left > 0) {
      first--;
      left -= rounds.get(first).getTokenCount();
    }
    return first;
  }
}

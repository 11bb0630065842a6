// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.wall.browser;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;

/**
 * Figures of a memory with the bounds of the shipped model: 16 rounds of pictures, a text window.
 */
final class FakeMemory {
  private static final int VISUAL_ROUNDS = 16;
  private static final int VISION_ROWS = 16;
  private static final int REST_ROWS = 9;
  private static final int SINK_TOKENS = 48;
  private static final int WINDOW_TOKENS = 160;

  private final String instruction;
  private final Deque<String> recent = new ArrayDeque<>();
  private final Deque<String> window = new ArrayDeque<>();
  private int windowTokens;
  private long computed = SINK_TOKENS + REST_ROWS;

  FakeMemory(String instruction) {
    this.instruction = instruction;
  }

  /** One more round; the memory after it. */
  ObjectNode after(String said) {
    recent.add(said);
    computed += VISION_ROWS + REST_ROWS + tokens(said);
    if (recent.size() > VISUAL_ROUNDS) {
      String old = recent.remove();
      if (!old.isEmpty()) {
        window.add(old);
        windowTokens += tokens(old);
      }
    }
    while (windowTokens > WINDOW_TOKENS) {
      windowTokens -= tokens(window.remove());
    }
    int generated = recent.stream().mapToInt(FakeMemory::tokens).sum();
    return JsonNodeFactory.instance
        .objectNode()
        .put("vision", recent.size() * VISION_ROWS)
        .put("generated", generated)
        .put("context", SINK_TOKENS + windowTokens)
        .put("rest", recent.size() * REST_ROWS)
        .put(
            "position",
            recent.size() * (VISION_ROWS + REST_ROWS) + generated + SINK_TOKENS + windowTokens)
        .put("computed", computed)
        .put("contextTokens", SINK_TOKENS + windowTokens)
        .put("sinkTokens", SINK_TOKENS)
        .put("windowTokens", windowTokens)
        .put("full", windowTokens > WINDOW_TOKENS - 20);
  }

  private static int tokens(String said) {
    return 1 + said.length() / 5;
  }

  /** The answer of {@code /memory}. */
  ObjectNode json(List<ObjectNode> texts) {
    ObjectNode json = JsonNodeFactory.instance.objectNode();
    ArrayNode series = json.putArray("series");
    List<ObjectNode> rounds = new ArrayList<>(texts);
    rounds.removeIf(text -> text.path("memory").isNull());
    for (ObjectNode text : rounds.subList(Math.max(0, rounds.size() - 600), rounds.size())) {
      ObjectNode point = series.addObject();
      point.setAll((ObjectNode) text.path("memory"));
      point.put("chunk", text.path("chunk").asLong());
      point.put("endMicros", text.path("endMicros").asLong());
    }
    if (rounds.isEmpty()) {
      json.putNull("now").putNull("text");
    } else {
      ObjectNode newest = rounds.get(rounds.size() - 1);
      json.set("now", newest.path("memory"));
      ObjectNode words = json.putObject("text");
      words.put("asOfChunk", newest.path("chunk").asLong()).put("sink", instruction);
      words.put("window", String.join(" ", window));
      ArrayNode added = words.putArray("added");
      recent.stream().filter(said -> !said.isEmpty()).limit(3).forEach(added::add);
    }
    json.putObject("settings").put("visualRounds", VISUAL_ROUNDS);
    return json;
  }
}

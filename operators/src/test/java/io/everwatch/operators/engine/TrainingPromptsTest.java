// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.engine;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.everwatch.operators.cache.ContiguousPositions;
import io.everwatch.operators.cache.RetentionWindow;
import io.everwatch.operators.cache.StreamingVlmPolicy;
import io.everwatch.operators.model.ChatGrammar;
import io.everwatch.operators.model.EncodedFrame;
import io.everwatch.operators.model.EncodedFrame.Encoding;
import io.everwatch.operators.model.ModelConfig;
import io.everwatch.operators.model.ModelFolder;
import io.everwatch.operators.model.Patches;
import io.everwatch.operators.model.PrefillSettings;
import io.everwatch.operators.model.StreamSettings;
import io.everwatch.operators.model.Tokenizer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/**
 * Prompts as they are served, for the training side to render the same (training/tests): ids and
 * positions of streams that begin, are cut, wrap their time markers, ask, and have other frame
 * rates.
 */
class TrainingPromptsTest {
  private static final Path GOLDEN = Path.of("../training/tests/golden/prompts.jsonl");
  private static final String INSTRUCTION = " Watch the road and count the buses.";
  private static final List<String> SAID =
      List.of(" A red bus number one enters from the left.", "", "", " The light turns amber.", "");

  private final ObjectMapper mapper = new ObjectMapper();
  private final ModelFolder folder = ModelFolder.open("everwatch-tiny");
  private final ModelConfig config = ModelConfig.read(folder);
  private final Tokenizer tokenizer = Tokenizer.open(folder);
  private final ChatGrammar grammar = ChatGrammar.open(folder, config, tokenizer);

  /**
   * A stream whose rounds all look alike.
   *
   * @param first chunk of the first round
   * @param question put in the last round
   * @param frames of a chunk
   * @param height of a picture in vision tokens
   */
  private record Case(
      String name,
      int rounds,
      int first,
      int sink,
      int window,
      String question,
      int frames,
      int height,
      int width) {}

  private static final List<Case> CASES =
      List.of(
          new Case("start", 1, 0, 16, 384, "", 2, 2, 2),
          new Case("question", 5, 0, 16, 384, "How many<|im_end|> buses?", 2, 3, 2),
          new Case("cut", 23, 8990, 6, 20, "", 2, 1, 2),
          new Case("one-frame", 3, 41, 16, 384, "", 1, 2, 2),
          new Case("eight-frames", 3, 100, 16, 384, "", 8, 1, 2),
          new Case("three-frames", 4, 7, 16, 384, "Which side?", 3, 1, 4));

  @Test
  void areThoseOfTheTrainingSide() throws IOException {
    StringBuilder lines = new StringBuilder();
    for (Case one : CASES) {
      lines.append(mapper.writeValueAsString(rendered(one))).append('\n');
    }
    Path written = Path.of("target/prompts.jsonl");
    Files.createDirectories(written.toAbsolutePath().getParent());
    Files.writeString(written, lines);

    assertThat(Files.readString(GOLDEN))
        .as(
            "%s; when the prompt was meant to change, copy operators/%s there, mend training/,"
                + " train anew",
            GOLDEN, written)
        .isEqualTo(lines.toString());
  }

  private ObjectNode rendered(Case one) {
    StreamSettings settings = settings(one);
    RoundPlanner planner =
        new RoundPlanner(
            new GrammarPrompts(grammar),
            new ContiguousPositions(),
            config.vision().spatialMergeSize(),
            config.vision().temporalPatchSize(),
            config.vision().tokensPerSecond(),
            null);
    StreamingVlmPolicy policy =
        new StreamingVlmPolicy(
            new RetentionWindow(
                settings.textRounds(),
                settings.visualRounds(),
                settings.cutText(),
                settings.textSink(),
                settings.textWindow()),
            grammar.turnTokens());
    RoundPlan plan = planner.plan(Committed.NONE, settings, policy, given(one));
    int[] ids = plan.proposed().ids();
    ObjectNode node = mapper.valueToTree(one);
    node.put("instruction", INSTRUCTION).put("text_rounds", settings.textRounds());
    node.set("said", mapper.valueToTree(said(one)));
    node.put("text", tokenizer.decode(ids, false));
    node.set("ids", mapper.valueToTree(ids));
    ArrayNode positions = node.putArray("positions");
    for (float[] axis : plan.positions()) {
      ArrayNode values = positions.addArray();
      for (int row = 0; row < ids.length; row++) {
        values.add(axis[row]);
      }
    }
    return node;
  }

  private static List<String> said(Case one) {
    return IntStream.range(0, one.rounds() - 1)
        .mapToObj(round -> SAID.get(round % SAID.size()))
        .toList();
  }

  private List<RoundPlanner.Given> given(Case one) {
    byte[] grey = new byte[3];
    List<EncodedFrame> frames =
        Collections.nCopies(one.frames(), new EncodedFrame(Encoding.RGB24, 1, 1, grey));
    int merge = config.vision().spatialMergeSize();
    int perPair = config.vision().temporalPatchSize();
    Patches clip =
        new Patches(
            new float[0],
            (one.frames() + perPair - 1) / perPair,
            one.height() * merge,
            one.width() * merge);
    List<RoundPlanner.Given> given = new ArrayList<>();
    for (int round = 0; round < one.rounds(); round++) {
      RoundInput input = new RoundInput(one.first() + round, frames, false);
      boolean last = round == one.rounds() - 1;
      given.add(
          new RoundPlanner.Given(
              last ? input.asked(one.question()) : input,
              clip,
              last ? new int[0] : turn(SAID.get(round % SAID.size()))));
    }
    return given;
  }

  private int[] turn(String text) {
    int[] close = {grammar.pause(), grammar.endOfTurn()};
    return IntStream.concat(IntStream.of(grammar.outside(text)), IntStream.of(close)).toArray();
  }

  private static StreamSettings settings(Case one) {
    return new StreamSettings(
        one.frames(),
        1_000_000,
        12544,
        12544,
        16,
        16,
        true,
        one.sink(),
        one.window(),
        20,
        0,
        1,
        0,
        1,
        0,
        INSTRUCTION,
        StreamSettings.QueryPlacement.CONTEXT,
        9000,
        0,
        0,
        0,
        PrefillSettings.DEFAULT);
  }
}

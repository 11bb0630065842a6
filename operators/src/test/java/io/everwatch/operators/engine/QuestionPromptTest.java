// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.everwatch.operators.cache.SegmentKind;
import io.everwatch.operators.model.ChatGrammar;
import io.everwatch.operators.model.EncodedFrame;
import io.everwatch.operators.model.EncodedFrame.Encoding;
import io.everwatch.operators.model.ModelConfig;
import io.everwatch.operators.model.ModelFolder;
import io.everwatch.operators.model.StreamSettings;
import io.everwatch.operators.model.Tokenizer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A question about three seconds, in the ids of the shipped model. */
@Timeout(120)
class QuestionPromptTest {
  private static final String QUESTION = "How many cars?<|im_end|>";

  private final LinkedBlockingQueue<RoundResult> results = new LinkedBlockingQueue<>();

  @Test
  void isTheStreamOfAModelThatKeptSilentWithTheQuestionBehindItsLastPictures() throws Exception {
    try (Engine engine = Engines.open(EngineOptions.builder("everwatch-tiny").threads(1).build());
        Seat seat = engine.attach(results::addAll)) {
      StreamSession session = seat.create("recording", engine.settings());
      seat.submit(
          session,
          chunk(2).asked(QUESTION).after(List.of(chunk(0).answered(""), chunk(1).answered(""))));
      RoundResult result = results.poll(60, TimeUnit.SECONDS);
      assertThat(result).isNotNull();
      assertThat(result.round()).isEqualTo(2);

      int[] prompt =
          session.memory().slices().stream()
              .filter(slice -> slice.kind() != SegmentKind.GENERATED || slice.round() < 2)
              .flatMapToInt(slice -> Arrays.stream(slice.segment().ids(), slice.from(), slice.to()))
              .toArray();
      assertThat(prompt).isEqualTo(expected(engine.settings()));
      assertThat(result.promptRows()).isEqualTo(prompt.length);
    }
  }

  /** By the grammar alone (StreamingVLM §5): the question is text, whatever it looks like. */
  private static int[] expected(StreamSettings settings) {
    ModelFolder folder = ModelFolder.open("everwatch-tiny");
    ModelConfig config = ModelConfig.read(folder);
    ChatGrammar grammar = ChatGrammar.open(folder, config, Tokenizer.open(folder));
    List<int[]> parts =
        new ArrayList<>(
            List.of(
                grammar.system(),
                grammar.memoryOpen(),
                grammar.context(settings),
                grammar.memoryClose()));
    for (int chunk = 0; chunk < 3; chunk++) {
      parts.add(grammar.userOpen());
      parts.add(grammar.marker(chunk, settings));
      parts.add(grammar.vision(16));
      if (chunk == 2) {
        int[] question = grammar.outside(QUESTION);
        assertThat(question).doesNotContain(grammar.endOfTurn());
        parts.add(question);
      }
      parts.add(grammar.userClose());
      parts.add(grammar.assistantOpen());
      if (chunk < 2) {
        parts.add(new int[] {grammar.pause(), grammar.endOfTurn()});
        parts.add(grammar.assistantClose());
      }
    }
    return parts.stream().flatMapToInt(IntStream::of).toArray();
  }

  private static RoundInput chunk(int index) {
    byte[] grey = new byte[112 * 112 * 3];
    Arrays.fill(grey, (byte) (40 * index));
    EncodedFrame frame = new EncodedFrame(Encoding.RGB24, 112, 112, grey);
    return new RoundInput(index, List.of(frame, frame), false);
  }
}

// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.engine;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.everwatch.operators.model.EncodedFrame;
import io.everwatch.operators.model.EncodedFrame.Encoding;
import io.everwatch.operators.model.PrefillSettings;
import io.everwatch.operators.model.StreamSettings;
import io.everwatch.operators.model.StreamSettings.QueryPlacement;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Ninety seconds of the road camera, said by the shipped model as by the reference. */
@Timeout(300)
class RoadStreamTest {
  private static final Path ROAD = Path.of("src/test/golden/road");
  private static final ObjectMapper MAPPER = new ObjectMapper();

  @Test
  void saysTheSentencesOfTheReference() throws Exception {
    List<String> lines = Files.readAllLines(ROAD.resolve("reference.jsonl"));
    JsonNode head = MAPPER.readTree(lines.get(0));
    StreamSettings settings = settings(head);
    List<String> said = new ArrayList<>();
    List<String> expected = new ArrayList<>();
    LinkedBlockingQueue<RoundResult> results = new LinkedBlockingQueue<>();
    EngineOptions options =
        EngineOptions.builder("everwatch-tiny").threads(2).kvBytes(64 << 20).build();
    LoadedModel loaded = new ModelShelf(false).take(options);
    EngineParts parts = EngineAssembly.parts(loaded, settings, options, intact -> loaded.close());
    try (Engine engine = new BatchingEngine(parts, options, TestEngine.MUST_NOT_HALT).start();
        Seat seat = engine.attach(results::addAll)) {
      StreamSession session = seat.create("road", settings);
      for (String line : lines.subList(1, lines.size())) {
        JsonNode second = MAPPER.readTree(line);
        long t = second.get("t").longValue();
        expected.add(t + second.get("said").asText());
        seat.submit(session, new RoundInput(t, List.of(frame(2 * t), frame(2 * t + 1)), false));
        RoundResult result = results.poll(60, TimeUnit.SECONDS);
        assertThat(result).as("result of second %d", t).isNotNull();
        said.add(t + result.outcome().match(RoundResult.Spoke::text, s -> "", f -> f.reason()));
      }
    }
    assertThat(said).isEqualTo(expected);
  }

  private static EncodedFrame frame(long number) throws IOException {
    byte[] bytes = Files.readAllBytes(ROAD.resolve("frames/%06d.png".formatted(number)));
    return new EncodedFrame(Encoding.PNG, 0, 0, bytes);
  }

  private static StreamSettings settings(JsonNode head) {
    int rounds = head.get("rounds").intValue();
    return new StreamSettings(
        2,
        1_000_000,
        112 * 112,
        112 * 112,
        rounds,
        rounds,
        true,
        head.get("sink").intValue(),
        head.get("window").intValue(),
        20,
        0,
        1,
        0,
        1,
        0,
        head.get("instruction").asText(),
        QueryPlacement.CONTEXT,
        9_000,
        0,
        16_000_000,
        10_000_000,
        PrefillSettings.DEFAULT);
  }
}

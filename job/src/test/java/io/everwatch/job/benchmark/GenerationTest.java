// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.benchmark;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.everwatch.job.offline.FakeEngine;
import io.everwatch.operators.engine.RoundInput;
import io.everwatch.operators.engine.RoundResult.Outcome;
import io.everwatch.operators.engine.StreamSession;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.BiFunction;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Videos are folders of pictures, two a second: the engine here looks at none. */
class GenerationTest {
  private static final String QUERY = "Say what happens.";

  @TempDir Path folder;

  private final Skips skips = new Skips(line -> {});
  private final Map<String, String> contexts = new ConcurrentHashMap<>();
  private final Map<String, String> questions = new ConcurrentHashMap<>();

  /** Says the second of which it is told, but for every third. */
  private Outcome count(StreamSession session, RoundInput input) {
    if (session.rounds() == 0) {
      contexts.put(Long.toString(input.chunk()), session.settings().instruction());
    }
    if (!input.question().isEmpty()) {
      questions.put(Long.toString(input.chunk()), input.question());
    }
    return FakeEngine.says(input.chunk() % 3 == 0 ? "" : " second " + input.chunk());
  }

  private void video(String name, int seconds) throws IOException {
    Path video = Files.createDirectory(folder.resolve(name));
    BufferedImage picture = new BufferedImage(8, 8, BufferedImage.TYPE_INT_RGB);
    for (int i = 0; i < 2 * seconds; i++) {
      ImageIO.write(picture, "png", video.resolve("%05d.png".formatted(i)).toFile());
    }
  }

  private Path metadata(String... videos) throws IOException {
    StringBuilder lines = new StringBuilder();
    for (String video : videos) {
      lines
          .append("{\"video\": \"")
          .append(video)
          .append("\", \"content\": [[1, 2, \"alpha\"], [6, 7, \"beta\"], [11, 12, \"end\"]]}\n");
    }
    return Files.writeString(folder.resolve("metadata.jsonl"), lines);
  }

  private List<JsonNode> generate(
      Path metadata,
      OptionalInt piece,
      boolean firstTurn,
      BiFunction<StreamSession, RoundInput, Outcome> rule)
      throws Exception {
    Path out = folder.resolve("out.jsonl");
    GenerationOptions options = new GenerationOptions(QUERY, firstTurn, piece, 2);
    Comments comments = new Comments(Benchmark.INF_STREAMS, metadata, folder, 4, options);
    List<Clip> clips = Benchmark.INF_STREAMS.clips(metadata, 4, skips);
    try (FakeEngine engine = new FakeEngine(rule)) {
      comments.into(out, clips, engine, skips, line -> {});
    }
    List<JsonNode> lines = new ArrayList<>();
    JsonLines.read(out, skips, lines::add);
    return lines;
  }

  @Test
  void aGameIsOneStreamFromItsStartToItsLastWord() throws Exception {
    video("game", 12);
    List<JsonNode> lines =
        generate(metadata("game"), OptionalInt.empty(), /* firstTurn= */ true, this::count);

    assertThat(lines).hasSize(1);
    JsonNode line = lines.get(0);
    assertThat(line.get("chunk_start").asDouble()).isEqualTo(4);
    assertThat(line.get("chunk_end").asDouble()).isEqualTo(12);
    assertThat(line.get("items"))
        .extracting(item -> item.get("response").asText())
        .containsExactly("second 4", "second 5", "second 7", "second 8", "second 10", "second 11");
    assertThat(line.at("/items/0/start_time").asDouble()).isEqualTo(4);
    assertThat(line.at("/items/5/end_time").asDouble()).isEqualTo(12);
    assertThat(contexts).isEqualTo(Map.of("4", " alpha"));
    assertThat(questions).isEqualTo(Map.of("4", QUERY));
    assertThat(skips.counts()).isEmpty();
  }

  @Test
  void inChunkModeEachPieceBeginsWithWhatTheHumanSaid() throws Exception {
    video("game", 12);
    List<JsonNode> lines =
        generate(metadata("game"), OptionalInt.of(4), /* firstTurn= */ true, this::count);
    assertThat(lines)
        .extracting(line -> line.get("chunk_start").asDouble())
        .containsExactly(4.0, 8.0);
    assertThat(lines)
        .extracting(line -> line.get("chunk_end").asDouble())
        .containsExactly(8.0, 12.0);
    assertThat(lines.get(1).get("items")).hasSize(3);
    assertThat(contexts).isEqualTo(Map.of("4", " alpha", "8", " alpha beta"));
    assertThat(questions).isEqualTo(Map.of("4", QUERY, "8", QUERY));
  }

  @Test
  void theQueryMayOpenTheStandingTextInstead() throws Exception {
    video("game", 12);
    generate(metadata("game"), OptionalInt.empty(), /* firstTurn= */ false, this::count);
    assertThat(contexts).isEqualTo(Map.of("4", " " + QUERY + " alpha"));
    assertThat(questions).isEmpty();
  }

  @Test
  void severalGamesShareTheEngineAndEachHasItsOwnStream() throws Exception {
    for (String name : List.of("one", "two", "three", "four", "five")) {
      video(name, 12);
    }
    List<Long> rounds = new ArrayList<>();
    List<JsonNode> lines =
        generate(
            metadata("one", "two", "three", "four", "five"),
            OptionalInt.empty(),
            /* firstTurn= */ true,
            (session, input) -> {
              rounds.add(session.rounds() - (input.chunk() - 4));
              return count(session, input);
            });
    assertThat(lines)
        .extracting(line -> line.get("video").asText())
        .containsExactlyInAnyOrder("one", "two", "three", "four", "five");
    assertThat(lines).allMatch(line -> line.get("items").size() == 6);
    assertThat(rounds).hasSize(5 * 8).containsOnly(0L);
  }

  @Test
  void aSecondRunDoesWhatIsMissing() throws Exception {
    video("game", 12);
    video("other", 12);
    generate(metadata("game"), OptionalInt.of(4), /* firstTurn= */ true, this::count);
    Path out = folder.resolve("out.jsonl");
    List<String> lines = Files.readAllLines(out);
    Files.writeString(out, lines.get(0) + "\n" + lines.get(1).substring(0, 40)); // killed there
    contexts.clear();

    List<JsonNode> all =
        generate(metadata("game", "other"), OptionalInt.of(4), /* firstTurn= */ true, this::count);

    assertThat(all)
        .extracting(line -> line.get("video").asText() + line.get("chunk_start").asInt())
        .containsExactlyInAnyOrder("game4", "game8", "other4", "other8");
    assertThat(Files.readAllLines(out)).contains(lines.get(0), lines.get(1));
    assertThat(contexts.keySet()).containsExactlyInAnyOrder("4", "8"); // 4 of the other one only
  }

  @Test
  void videosThatCannotBeUsedAreCountedAndTheOthersAreDone() throws Exception {
    video("good", 12);
    video("short", 8);
    video("long", 20);
    Files.createFile(folder.resolve("empty.mp4"));
    Files.writeString(folder.resolve("broken.mp4"), "this is no video");
    List<JsonNode> lines =
        generate(
            metadata(
                "missing.mp4", "empty.mp4", "broken.mp4", "../outside", "good", "short", "long"),
            OptionalInt.empty(),
            /* firstTurn= */ true,
            this::count);
    assertThat(lines)
        .extracting(line -> line.get("video").asText())
        .containsExactlyInAnyOrder("good", "short", "long");
    assertThat(skips.counts())
        .isEqualTo(
            Map.of(
                "missing-video", 2L,
                "empty-video", 1L,
                "unreadable-video", 1L,
                "shorter-than-annotation", 1L,
                "longer-than-annotation", 1L));
  }
}

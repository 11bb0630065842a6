// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.MissingNode;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The commands that run the engine, with the shipped model. */
class CaptionITCase {
  private static final Path ROAD = Path.of("../operators/src/test/golden/road");
  private static final String CLIPS = "src/test/resources/video/";
  private static final ObjectMapper JSON = new ObjectMapper();

  @TempDir Path folder;

  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();

  private int run(String... arguments) {
    return Everwatch.commandLine()
        .setOut(new PrintWriter(out))
        .setErr(new PrintWriter(err))
        .execute(arguments);
  }

  private List<JsonNode> lines() throws IOException {
    List<JsonNode> lines = new ArrayList<>();
    for (String line : out.toString().lines().toList()) {
      lines.add(JSON.readTree(line));
    }
    return lines;
  }

  @Test
  void saysOfTheGoldenRoadWhatTheReferenceSays() throws IOException {
    List<String> reference = Files.readAllLines(ROAD.resolve("reference.jsonl"));
    JsonNode settings = JSON.readTree(reference.get(0));
    assertThat(
            run(
                "caption",
                ROAD.resolve("frames").toString(),
                "--fps",
                "2",
                "--instruction",
                settings.get("instruction").asText(),
                "--streaming",
                "text_window=" + settings.get("window").asInt(),
                "--format",
                "json"))
        .as(err.toString())
        .isEqualTo(ExitCodes.OK);
    List<JsonNode> said = lines();
    assertThat(said).hasSize(reference.size() - 1);
    for (int t = 0; t < said.size(); t++) {
      assertThat(said.get(t).get("text").asText())
          .as("second %d", t)
          .isEqualTo(JSON.readTree(reference.get(t + 1)).get("said").asText());
    }
  }

  @Test
  void accountsForEverySecondOfTheClips() throws IOException {
    assertCovered("car-detection.mp4", 20);
    assertCovered("bottle-detection.mp4", 40);
  }

  private void assertCovered(String clip, int seconds) throws IOException {
    out.getBuffer().setLength(0);
    assertThat(run("caption", CLIPS + clip, "--format", "json"))
        .as(err.toString())
        .isEqualTo(ExitCodes.OK);
    List<JsonNode> events = lines();
    assertThat(events).as(clip).hasSize(seconds);
    for (int t = 0; t < seconds; t++) {
      assertThat(events.get(t).get("startMicros").asLong()).isEqualTo(t * 1_000_000L);
      assertThat(events.get(t).get("kind").asText()).isIn("COMMENT", "SILENCE");
    }
  }

  @Test
  void scoresTheShippedModelOnARoadItHasNotSeen() throws IOException {
    assertThat(run("evaluate", "--minutes", "3", "--seed", "77,78", "--json"))
        .as(err.toString())
        .isEqualTo(ExitCodes.OK);
    JsonNode scores = lines().get(0).get("runs").get(0);
    assertThat(scores.get("failures").asInt()).isZero();
    assertThat(scores.get("tenths")).hasSize(10);
    // published: 0.96 and 1.00 over hours; a wrong renderer, memory or marker falls far below
    assertThat(scores.get("whole").get("f1").asDouble()).isGreaterThan(0.88);
    assertThat(scores.get("whole").get("silenceRecall").asDouble()).isGreaterThan(0.97);
    assertThat(scores.get("whole").get("numberStep").asDouble()).isGreaterThan(0.9);
  }

  /** What the pictures of the log are good for when a memory is made again. */
  @Test
  void aMemoryMadeAgainFromWordsAloneTellsOfThingsThatDidNotHappen() throws IOException {
    List<Double> f1 = new ArrayList<>();
    for (List<String> how : List.of(List.<String>of(), List.of("--rebuild-from-words"))) {
      List<String> line =
          new ArrayList<>(
              List.of("evaluate", "--minutes", "1", "--seed", "77,78", "--rebuild-every", "4"));
      line.add("--json");
      line.addAll(how);
      assertThat(run(line.toArray(String[]::new))).as(err.toString()).isEqualTo(ExitCodes.OK);
      f1.add(lines().get(f1.size()).get("runs").get(0).get("whole").get("f1").asDouble());
    }
    assertThat(f1.get(0)).as("with pictures").isGreaterThan(0.88); // as never lost; 0.97 over hours
    assertThat(f1.get(1)).as("words alone").isLessThan(f1.get(0) - 0.1); // 0.23 less over hours
  }

  private static double rate(Map<String, JsonNode> runs, String run, String name) {
    return runs.getOrDefault(run, MissingNode.getInstance()).path(name).asDouble(Double.NaN);
  }

  /** The paper's table in small: what a part of the memory is good for is lost with it alone. */
  @Test
  void eachAblationFailsInItsOwnColumn() throws IOException {
    Path report = folder.resolve("report");
    assertThat(
            run(
                "evaluate",
                "--minutes",
                "3",
                "--density",
                "2",
                "--seed",
                "41,42",
                "--ablation",
                "compact,no-text-window,no-sink,native-positions,visual-window=0",
                "--report",
                report.toString(),
                "--json"))
        .as(err.toString())
        .isEqualTo(ExitCodes.OK);
    Map<String, JsonNode> runs = new HashMap<>();
    lines().get(0).get("runs").forEach(run -> runs.put(run.get("name").asText(), run.get("whole")));
    for (String sees : List.of("compact", "no-text-window", "no-sink", "native-positions")) {
      assertThat(rate(runs, sees, "f1")).as(sees).isGreaterThan(0.9);
      assertThat(rate(runs, sees, "silenceRecall")).as(sees).isGreaterThan(0.97);
    }
    assertThat(rate(runs, "visual-window=0", "f1")).isLessThan(0.2);
    for (String told : List.of("compact", "no-text-window")) {
      assertThat(rate(runs, told, "numberGiven")).as(told).isGreaterThan(0.95);
    }
    for (String untold : List.of("no-sink", "native-positions")) {
      assertThat(rate(runs, untold, "numberGiven")).as(untold).isLessThan(0.85);
    }
    for (String recalls : List.of("compact", "no-sink")) {
      assertThat(rate(runs, recalls, "numberStepFar")).as(recalls).isGreaterThan(0.9);
    }
    for (String forgets : List.of("no-text-window", "native-positions")) {
      assertThat(rate(runs, forgets, "numberStepFar")).as(forgets).isLessThan(0.8);
    }
    assertThat(report.resolve("report.md")).content().contains("| `no-sink` |");
    assertThat(report.resolve("numberStepFar.svg")).isNotEmptyFile();
  }

  @Test
  void measuresItself() throws IOException {
    assertThat(run("bench", "--streams", "2", "--seconds", "1", "--warm-up", "2", "--json"))
        .as(err.toString())
        .isEqualTo(ExitCodes.OK);
    JsonNode figures = lines().get(0);
    assertThat(figures.get("streams").asInt()).isEqualTo(2);
    for (String figure :
        List.of("chunksPerSecond", "cpuMsPerChunk", "msPerToken", "msVision", "msPrefill")) {
      assertThat(figures.get(figure).asDouble()).as(figure).isPositive();
    }
  }

  @Test
  void aPictureThatCannotBeReadIsNamedAndTheRestIsCaptioned() throws IOException {
    for (int i = 0; i < 6; i++) {
      String name = "%06d.png".formatted(i);
      Files.copy(ROAD.resolve("frames").resolve(name), folder.resolve(name));
    }
    Files.write(folder.resolve("000003.png"), new byte[] {(byte) 0x89, 'P', 'N', 'G'});
    assertThat(run("caption", folder.toString(), "--format", "json")).isEqualTo(ExitCodes.OK);
    assertThat(lines()).hasSize(3);
    assertThat(err.toString()).contains("frame 3 (").contains("1 problems");
  }

  @Test
  void namesWhatIsNotThereOrNotKnown() {
    assertThat(run("caption", "none.mp4")).isEqualTo(ExitCodes.FAILURE);
    assertThat(err.toString()).contains("there is no file or folder 'none.mp4'");
    assertThat(run("caption", folder.toString())).isEqualTo(ExitCodes.FAILURE);
    assertThat(err.toString()).contains(folder + " holds no picture");
    assertThat(run("caption", folder.toString(), "--colour")).isEqualTo(ExitCodes.USAGE);
    assertThat(err.toString()).contains("--colour");
    assertThat(run("evaluate", "--scene", "beach", "--minutes", "1", "--seed", "1"))
        .isEqualTo(ExitCodes.USAGE);
    assertThat(err.toString()).contains("no scene 'beach'");
    assertThat(run("evaluate", "--minutes", "1", "--seed", "1", "--rebuild-from-words"))
        .isEqualTo(ExitCodes.USAGE);
    assertThat(err.toString()).contains("--rebuild-from-words without --rebuild-every");
    assertThat(run("bench", "--streams", "0")).isEqualTo(ExitCodes.USAGE);
    assertThat(err.toString()).contains("--streams 0; expected at least 1");
  }
}

// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** {@code caption --ask} with the shipped model, which says what it says of the last second. */
class AskITCase {
  private static final Path ROAD = Path.of("../operators/src/test/golden/road/frames");
  private static final String CLIPS = "src/test/resources/video/";
  private static final String QUESTION = "How many cars?";

  @TempDir Path folder;

  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();

  private int run(String... arguments) {
    return Everwatch.commandLine()
        .setOut(new PrintWriter(out))
        .setErr(new PrintWriter(err))
        .execute(arguments);
  }

  private JsonNode answer() throws IOException {
    return new ObjectMapper().readTree(out.toString());
  }

  @Test
  void answersAboutClipsAndTheScene() throws IOException {
    for (String input : new String[] {CLIPS + "car-detection.mp4", "scene:road?seed=7"}) {
      out.getBuffer().setLength(0);
      assertThat(
              run(
                  "caption",
                  input,
                  "--ask",
                  QUESTION,
                  "--from",
                  "2 s",
                  "--to",
                  "14 s",
                  "--format",
                  "json"))
          .as(err.toString())
          .isEqualTo(ExitCodes.OK);
      assertThat(answer().get("question").asText()).isEqualTo(QUESTION);
      assertThat(answer().get("chunks").asInt()).as(input).isEqualTo(12);
      assertThat(answer().get("fromMicros").asLong()).isEqualTo(2_000_000);
      assertThat(answer().get("toMicros").asLong()).isEqualTo(14_000_000);
      assertThat(answer().get("rows").asInt()).isGreaterThan(12 * (16 + 2));
      assertThat(answer().get("tokens").asInt()).isPositive();
    }
  }

  @Test
  void looksAtAClipAtALowerRateInLongerChunks() throws IOException {
    assertThat(
            run(
                "caption",
                CLIPS + "bottle-detection.mp4",
                "--ask",
                QUESTION,
                "--fps",
                "0.5",
                "--format",
                "json"))
        .as(err.toString())
        .isEqualTo(ExitCodes.OK);
    assertThat(answer().get("chunks").asInt()).isEqualTo(10); // 40 s of 4 s each
  }

  @Test
  void cutsBeforeItComputesAndSaysWhat() throws IOException {
    assertThat(
            run(
                "caption",
                ROAD.toString(),
                "--fps",
                "2",
                "--ask",
                QUESTION,
                "--sink",
                "1 s",
                "--window",
                "5 s"))
        .as(err.toString())
        .isEqualTo(ExitCodes.OK);
    assertThat(err.toString())
        .contains("left out: 00:00:01.000 to 00:01:25.000, 84 chunks")
        .contains("6 chunks looked at, 84 left out");
  }

  @Test
  void passesOverPicturesThatCannotBeReadAndNamesThem() throws IOException {
    for (int i = 0; i < 8; i++) {
      String name = "%06d.png".formatted(i);
      Files.copy(ROAD.resolve(name), folder.resolve(name));
    }
    Files.write(folder.resolve("000006.png"), new byte[] {(byte) 0x89, 'P', 'N', 'G'});
    Files.write(folder.resolve("000007.png"), new byte[] {(byte) 0x89, 'P', 'N', 'G'});
    Files.write(folder.resolve("000003.png"), new byte[] {(byte) 0x89, 'P', 'N', 'G'});
    assertThat(run("caption", folder.toString(), "--ask", QUESTION))
        .as(err.toString())
        .isEqualTo(ExitCodes.OK);
    assertThat(err.toString())
        .containsPattern("everwatch: WRONG_MAGIC: ")
        .contains("3 chunks looked at"); // of four: the last one has no picture
  }

  @ParameterizedTest(name = "{0} {1}: {3}")
  @CsvSource(
      quoteCharacter = '"',
      value = {
        "--ask| |1|the question is empty; expected a text",
        "--ask=q --from=1h| |1|there is no frame from 3600 s to",
        "--ask=q --from=5s|--to=5s|2|--from 5 s and --to 5 s; expected the end behind the"
            + " beginning",
        "--ask=q|--sink=5s|2|--sink without --window; expected both",
        "--ask=q|--format=webvtt|2|--ask has one answer and no times; expected --format text or"
            + " json",
        "--ask=q|--fps=0.3|1|0.3 frames a second are two in",
        "--from=5s|--to=9s|2|--ask"
      },
      delimiter = '|')
  void saysWhatIsWrongWithAQuestion(String first, String second, int code, String message) {
    String[] one = (first + (second == null ? "" : " " + second)).split(" ", -1);
    String[] arguments = new String[one.length + 2 + (first.equals("--ask") ? 1 : 0)];
    arguments[0] = "caption";
    arguments[1] = CLIPS + "car-detection.mp4";
    System.arraycopy(one, 0, arguments, 2, one.length);
    if (first.equals("--ask")) {
      arguments[3] = " ";
    }
    assertThat(run(arguments)).as(err.toString()).isEqualTo(code);
    assertThat(err.toString()).contains(message);
  }

  @Test
  void wantsAnEndOfASceneAndAShortQuestion() {
    assertThat(run("caption", "scene:road", "--ask", QUESTION)).isEqualTo(ExitCodes.USAGE);
    assertThat(err.toString()).contains("a scene never ends; expected --to with --ask");
    assertThat(run("caption", CLIPS + "car-detection.mp4", "--ask", "x".repeat(8193)))
        .isEqualTo(ExitCodes.FAILURE);
    assertThat(err.toString())
        .contains("the question has 8,193 characters; expected at most 8,192");
  }

  @Test
  void saysThatTheShippedModelWasNotTaughtQuestions() {
    assertThat(run("caption", "--help")).isEqualTo(ExitCodes.OK);
    assertThat(out.toString().replaceAll("\\s+", " "))
        .contains("The shipped model was never taught questions");
  }
}

// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.benchmark;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class JudgingTest {
  private static final int EVENTS = 6;

  @TempDir Path folder;

  private final Skips skips = new Skips(line -> {});
  private final List<String> prompts = Collections.synchronizedList(new ArrayList<>());

  private JsonNode votes(Judge judge) throws Exception {
    StringBuilder references = new StringBuilder();
    StringBuilder good = new StringBuilder();
    StringBuilder bad = new StringBuilder();
    for (int i = 0; i < EVENTS; i++) {
      String id = "{\"video_id\":\"v%d\",\"event_id\":1,".formatted(i);
      references.append(id).append("\"gt_asr\":\"the human %d\"}\n".formatted(i));
      good.append(id).append("\"pred\":\"good %d\"}\n".formatted(i));
      bad.append(id).append("\"pred\":\"bad %d\"}\n".formatted(i));
    }
    Votes votes =
        new Votes(
            Benchmark.LIVESPORTS,
            Files.writeString(folder.resolve("gt.jsonl"), references),
            0,
            Files.writeString(folder.resolve("good.jsonl"), good),
            Files.writeString(folder.resolve("bad.jsonl"), bad),
            3);
    return votes.into(
        folder.resolve("votes.jsonl"),
        "stand-in",
        prompt -> {
          prompts.add(prompt);
          return judge.reply(prompt);
        },
        skips,
        line -> {});
  }

  private static String preferring(String word, String prompt) {
    return prompt.indexOf(word) > prompt.indexOf("[commentary B]") ? "B" : "A";
  }

  @Test
  void theBetterOneWinsInBothPlaces() throws Exception {
    JsonNode figures = votes(prompt -> preferring("good", prompt));
    assertThat(figures.at("/winRateOfA/value").asDouble()).isEqualTo(1);
    assertThat(figures.at("/winRateOfA/votes").asInt()).isEqualTo(2 * EVENTS);
    assertThat(figures.get("agreedInBothOrders").asInt()).isEqualTo(EVENTS);
    assertThat(prompts).hasSize(2 * EVENTS).doesNotHaveDuplicates();
    assertThat(prompts).allMatch(prompt -> prompt.contains("the human"));
  }

  @Test
  void aJudgeWhoAlwaysTakesTheFirstDecidesNothing() throws Exception {
    JsonNode figures = votes(prompt -> "A");
    assertThat(figures.at("/winRateOfA/value").asDouble()).isEqualTo(0.5);
    assertThat(figures.get("agreedInBothOrders").asInt()).isZero();
  }

  @Test
  void aRunThatWasBrokenOffAsksForWhatIsMissingOnly() throws Exception {
    assertThatThrownBy(
            () ->
                votes(
                    prompt -> {
                      if (prompt.contains("good 4")) {
                        throw new IOException("the judge is gone");
                      }
                      return preferring("good", prompt);
                    }))
        .isInstanceOf(IOException.class)
        .hasMessage("the judge is gone");
    int kept = Files.readAllLines(folder.resolve("votes.jsonl")).size();
    assertThat(kept).isBetween(1, 2 * EVENTS - 1);
    prompts.clear();
    JsonNode figures = votes(prompt -> preferring("good", prompt));
    assertThat(prompts).hasSize(2 * EVENTS - kept);
    assertThat(figures.at("/winRateOfA/votes").asInt()).isEqualTo(2 * EVENTS);
    assertThat(figures.at("/winRateOfA/value").asDouble()).isEqualTo(1);
  }

  /** As published: they count among the votes, but for nobody. */
  @Test
  void repliesThatCannotBeReadAreVotesForNobody() throws Exception {
    JsonNode figures =
        votes(prompt -> prompt.contains("good 0") ? "Both are fine." : preferring("bad", prompt));
    assertThat(figures.get("undecidedVotes").asInt()).isEqualTo(2);
    assertThat(figures.at("/winRateOfA/votes").asInt()).isEqualTo(2 * EVENTS);
    assertThat(figures.at("/winRateOfA/value").asDouble()).isZero();
    assertThat(figures.at("/skipped/unreadable-verdict").asInt()).isEqualTo(2);
  }

  @Test
  void longTextsAreCutBetweenCharacters() throws Exception {
    Path references =
        Files.writeString(
            folder.resolve("gt"),
            "{\"video_id\":\"v\",\"event_id\":1,\"gt_asr\":\"%s\"}\n"
                .formatted("x" + "😀".repeat(5000)));
    Path side =
        Files.writeString(
            folder.resolve("side"), "{\"video_id\":\"v\",\"event_id\":1,\"pred\":\"short\"}\n");
    new Votes(Benchmark.LIVESPORTS, references, 0, side, side, 1)
        .into(
            folder.resolve("cut.jsonl"),
            "stand-in",
            prompt -> {
              prompts.add(prompt);
              return "A";
            },
            skips,
            line -> {});
    long faces = prompts.get(0).codePoints().filter(c -> c == 0x1F600).count();
    assertThat((double) faces).isCloseTo(8000 / 2, within(1.0));
    assertThat(prompts.get(0).codePoints()).noneMatch(c -> c >= 0xD800 && c <= 0xDFFF);
  }

  @ParameterizedTest
  @CsvSource({
    "A, A",
    "b., B",
    "**B**, B",
    "Commentary A is better aligned with the human commentary, A",
    "The better commentary is B, B",
    "Answer: (B), B",
    "A shot like this deserves more than either has, NONE",
    "commentary A is lively but commentary B is right, NONE",
    "'', NONE"
  })
  void verdictsAreReadFromWhatJudgesWrite(String reply, Verdict verdict) {
    assertThat(Verdict.read(reply)).isEqualTo(verdict);
  }
}

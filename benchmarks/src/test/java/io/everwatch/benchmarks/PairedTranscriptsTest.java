// SPDX-License-Identifier: Apache-2.0
package io.everwatch.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import io.everwatch.benchmarks.PairedTranscripts.Difference;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** F1 of two runs over the same seconds, and what their difference is worth. */
class PairedTranscriptsTest {
  @TempDir private Path directory;

  /** Ten minutes in which a car enters every four seconds; every {@code wrong}th is a bus. */
  private Path transcript(String name, int wrong) throws IOException {
    List<String> lines = new ArrayList<>();
    for (int t = 0; t < 600; t++) {
      String truth = t % 4 == 0 ? " A red car number two enters." : "";
      String said =
          t % (4 * wrong) == 0 ? truth.replace("car", "bus") : truth.replace("two", "six");
      lines.add("{\"seed\":7,\"t\":%d,\"truth\":\"%s\",\"said\":\"%s\"}".formatted(t, truth, said));
    }
    return Files.write(directory.resolve(name), lines);
  }

  @Test
  void aWrongSentenceIsMissedAndFalseAndAWrongNumberOnlyWhereNumbersCount() throws IOException {
    Path run = transcript("run", 5);
    Difference same = PairedTranscripts.compare(run, run, 0, false);
    assertThat(same.first()).isCloseTo(120 * 2.0 / (120 * 2 + 30 * 2), within(1e-12));
    assertThat(List.of(same.low(), same.high())).containsExactly(0.0, 0.0);
    assertThat(same.differing()).isZero();
    assertThat(PairedTranscripts.compare(run, run, 0, true).first()).isZero();
    assertThat(same.minutes()).isEqualTo(10);
  }

  @Test
  void theIntervalOfADifferenceThatEveryMinuteHasIsNarrowAndLeavesZeroOut() throws IOException {
    Difference worse =
        PairedTranscripts.compare(transcript("good", 15), transcript("bad", 3), 0, false);
    assertThat(worse.second() - worse.first()).isCloseTo(100.0 / 150 - 140.0 / 150, within(1e-12));
    assertThat(worse.low()).isBetween(-0.30, -0.26);
    assertThat(worse.high()).isBetween(-0.27, -0.23);
    assertThat(worse.differing()).isEqualTo(40);
  }

  @Test
  void countsFromASecondOn() throws IOException {
    Path run = transcript("run", 5);
    assertThat(PairedTranscripts.compare(run, run, 540, false).seconds()).isEqualTo(60);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> PairedTranscripts.compare(run, run, 600, false))
        .withMessageContaining("0 seconds");
  }

  @Test
  void refusesRunsOfOtherSeconds() throws IOException {
    Path run = transcript("run", 5);
    Path shorter = Files.write(directory.resolve("cut"), Files.readAllLines(run).subList(0, 300));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> PairedTranscripts.compare(run, shorter, 0, false))
        .withMessageContaining("600 seconds")
        .withMessageContaining("300; expected the same");
  }
}

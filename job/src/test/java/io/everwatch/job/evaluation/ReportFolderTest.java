// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.evaluation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.everwatch.kernels.SparseCounters;
import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ReportFolderTest {
  private static final String EVENT = " The red car stops.";

  @TempDir Path folder;

  /** Two cameras of twenty seconds in two parts; of the second part every event is missed. */
  private static Outcome outcome() {
    List<List<Score>> cameras = new ArrayList<>();
    for (int camera = 0; camera < 2; camera++) {
      Scorer scorer = new Scorer(RoadCamera.roadGrammar(), 2, 20, 16);
      for (int second = 0; second < 20; second++) {
        String truth = second % 2 == 0 ? EVENT : "";
        scorer.score(second, truth, second < 10 ? truth : "");
      }
      cameras.add(scorer.stretches());
    }
    return new Outcome(
        cameras,
        3,
        0,
        0,
        SparseCounters.NONE,
        List.of(new Outcome.Cost(5, 300), new Outcome.Cost(7, 900)));
  }

  private static EvaluationReport report(Ablation... runs) {
    Map<Ablation, Outcome> outcomes = new LinkedHashMap<>();
    for (Ablation run : runs) {
      outcomes.put(run, outcome());
    }
    return new EvaluationReport(
        Map.of("scene", "road", "command", "everwatch evaluate <x>"),
        10,
        List.of(1L, 2L),
        outcomes);
  }

  @Test
  void oneRunHasItsFiguresIntervalsAndPicture() throws Exception {
    Path at = folder.resolve("one");
    new ReportFolder(at).write(report(Ablation.COMPACT));

    JsonNode run = new ObjectMapper().readTree(at.resolve("report.json").toFile()).at("/runs/0");
    assertThat(run.at("/whole/recall").asDouble()).isEqualTo(0.5);
    assertThat(run.at("/intervals/recall/cases").asInt()).isEqualTo(20);
    assertThat(run.at("/intervals/recall/low").asDouble()).isBetween(0.2, 0.4);
    assertThat(run.at("/tenths/0/recall").asDouble()).isEqualTo(1);
    assertThat(run.at("/tenths/1/recall").asDouble()).isZero();
    assertThat(run.at("/tenths/1/mostRows").asInt()).isEqualTo(900);
    assertThat(run.at("/whole/numberStep").isNull()).isTrue();
    assertThat(Files.readString(at.resolve("report.md")))
        .contains("| recall | 0.5000 | 0.29", "| 20 | -1.0000 |", "3 rounds failed")
        .contains("![rates](rates.svg)", "command: `everwatch evaluate <x>`");
    assertIsSvg(at.resolve("rates.svg"));
  }

  @Test
  void severalRunsStandSideBySide() throws Exception {
    Path at = folder.resolve("several");
    List<Ablation> runs = Ablation.parse(List.of("compact", "no-sink"));
    new ReportFolder(at).write(report(runs.toArray(Ablation[]::new)));
    assertThat(Files.readString(at.resolve("report.md")))
        .contains("| `compact` | 1.000 | 0.500 |", "| `no-sink` | 1.000 | 0.500 |", "300 → 900");
    assertIsSvg(at.resolve("recall.svg"));
    assertThat(Files.readString(at.resolve("recall.svg"))).contains(">compact<", ">no-sink<");
  }

  private static void assertIsSvg(Path file) throws Exception {
    assertThat(
            DocumentBuilderFactory.newInstance()
                .newDocumentBuilder()
                .parse(file.toFile())
                .getDocumentElement()
                .getTagName())
        .isEqualTo("svg");
    assertThat(Files.readString(file)).doesNotContain("NaN");
  }

  /** Hours are not spent on a report that cannot be written. */
  @Test
  void aPlaceThatIsTakenOrMissingIsRefusedBeforehand() {
    assertThatThrownBy(() -> new ReportFolder(folder))
        .isInstanceOf(FileAlreadyExistsException.class)
        .hasMessageContaining("a folder of its own");
    assertThatThrownBy(() -> new ReportFolder(folder.resolve("no/such")))
        .isInstanceOf(NoSuchFileException.class);
  }

  @Test
  void whatCannotBeFinishedLeavesNothing() throws IOException {
    Path at = folder.resolve("taken");
    ReportFolder report = new ReportFolder(at);
    Files.createDirectory(at);
    Files.writeString(at.resolve("mine"), "mine");
    assertThatThrownBy(() -> report.write(report(Ablation.COMPACT)))
        .isInstanceOf(IOException.class);
    try (Stream<Path> left = Files.list(folder)) {
      assertThat(left).containsExactly(at);
    }
    assertThat(at.resolve("mine")).hasContent("mine");
  }
}

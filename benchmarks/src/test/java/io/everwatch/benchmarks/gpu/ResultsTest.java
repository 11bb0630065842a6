// SPDX-License-Identifier: Apache-2.0
package io.everwatch.benchmarks.gpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.everwatch.benchmarks.gpu.Item.Status;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** From figures to goals, report and page. */
class ResultsTest {
  private static final Path PAGE = Path.of("../docs/benchmarks/gpu.md");
  private static final Path MEASURED = Path.of("../docs/benchmarks/gpu.json");
  private static final Shapes SHAPES = Shapes.of("full");
  private static final String MODEL = SHAPES.load().models().get(0);

  @TempDir private Path dir;

  private static Item passed(String part, String item, Map<String, Object> figures) {
    return new Item(part, item, Status.PASSED, 1, "", figures);
  }

  private static Results results(Item... items) {
    return new Results(Map.of("emulated", "false"), List.of(items));
  }

  /** All that the goals ask for. */
  private static Results complete() {
    List<Item> items = new ArrayList<>();
    items.add(passed("driver", "copies", Map.of("copyGbPerSecond", 4000.0)));
    SHAPES
        .products()
        .forEach(
            product ->
                SHAPES
                    .tokens()
                    .forEach(
                        m -> {
                          boolean worst = product.item(m).equals("down M=512");
                          items.add(
                              passed(
                                  "gemm",
                                  product.item(m),
                                  Map.of("tflops", worst ? 400.0 : 700.0)));
                          items.add(passed("torch", product.item(m), Map.of("tflops", 800.0)));
                        }));
    for (String item : List.of(SHAPES.decoder().prefillItem(), Shapes.Vision.FULL)) {
      items.add(passed("attention", item, Map.of("tflops", 300.0)));
      items.add(passed("torch", item, Map.of("tflops", 400.0)));
    }
    for (int keys : SHAPES.sparse().keys()) {
      items.add(
          passed(
              "sparse",
              SHAPES.sparse().item(keys),
              Map.of("timesDense", 3.1, "searchShareOfDense", 0.1, "cosine", 0.9995)));
    }
    for (int streams : new int[] {1, SHAPES.decoder().streams()}) {
      items.add(
          passed(
              "engine",
              DecodePart.item(SHAPES.decoder(), streams, MODEL),
              Map.of("millis", 4.0, "shareOfCopy", 0.85, "allocationsPerStep", 0.0)));
    }
    items.add(
        passed(
            "engine",
            EnginePart.alone(MODEL),
            Map.of(
                "latencyMillisP50", 90.0,
                "promptRows", 300,
                "contextRows", 5000,
                "visionRows", 299.0,
                "tokens", 15.0,
                "weightBytes", 14_000_000_000L,
                "rowBytes", 57344,
                "flopPerPromptRow", 14e9,
                "flopPerVisionRow", 5e9)));
    items.add(
        passed("engine", EnginePart.held(SHAPES.load(), MODEL), Map.of("lagMillisP99", 1200.0)));
    items.add(
        passed(
            "engine",
            EnginePart.through(SHAPES.load(), MODEL),
            Map.of("chunksPerSecond", 80.0, "idleShare", 0.04)));
    items.add(passed("torch", "loop " + MODEL, Map.of("chunksPerSecond", 2.0)));
    return results(items.toArray(Item[]::new));
  }

  @Test
  void everyGoalIsMeasuredByItsParts() {
    assertThat(Goal.of(complete(), SHAPES))
        .allSatisfy(goal -> assertThat(goal.reached()).as(goal.what()).isPresent());
  }

  @Test
  void theWorstProductCountsAndAMissedGoalIsToldApart() {
    assertThat(Report.goals(complete(), SHAPES, false))
        .anySatisfy(line -> assertThat(line).contains("the worst of all", "0.500", "**missed**"))
        .anySatisfy(line -> assertThat(line).contains("99th percentile", "1,200 ms", "**missed**"))
        .anySatisfy(line -> assertThat(line).contains("PyTorch |", "≥ 10 times", "| 40 |", "met"));
  }

  @Test
  void aProductThatThePeerDidNotTimeLeavesTheGoalOpen() {
    Results all = complete();
    Results some =
        results(
            all.items().stream()
                .filter(i -> !(i.part().equals("torch") && i.item().equals("qkv M=512")))
                .toArray(Item[]::new));

    assertThat(Report.goals(some, SHAPES, true))
        .anySatisfy(
            line ->
                assertThat(line)
                    .contains("the worst of all", "open", "kernels/gpu-check --part gemm,torch"));
  }

  /** 15 tokens over 14 GB and 5,000 rows at 4 TB/s: 53.6 ms; 5.7 TFLOP at 800 TFLOP/s: 7.1 ms. */
  @Test
  void theFloorOfALatencyIsProductsAndReads() {
    assertThat(complete().timesFloor(EnginePart.alone(MODEL)).orElseThrow())
        .isCloseTo(90 / 60.7, within(0.01));
  }

  @Test
  void aFailureAndAnItemThatDidNotEndAreLoud() {
    Results results =
        results(
            passed("driver", "device", Map.of("name", "a GPU")),
            new Item("gemm", "qkv M=512", Status.FAILED, 1, "output [3, 4] is 7", Map.of()),
            Item.started("engine", "one stream"),
            new Item("torch", "all", Status.SKIPPED, 0, "no PyTorch here", Map.of()));

    assertThat(Report.of(results, SHAPES))
        .contains("**FAILED**: 1 passed, 2 failed, 1 skipped")
        .contains("**gemm, qkv M=512** failed: output [3, 4] is 7")
        .contains("**engine, one stream** did not end")
        .contains("torch, all skipped: no PyTorch here")
        .contains("not run: kernels");
  }

  @Test
  void whatWasEmulatedReachesNoGoal() {
    Results emulated = new Results(Map.of("emulated", "true"), complete().items());

    assertThat(Report.goals(emulated, SHAPES, false))
        .filteredOn(line -> line.contains("met"))
        .isEmpty();
    assertThat(GpuPage.of(emulated)).contains("Nothing here was measured yet");
  }

  @Test
  void thePageSaysOfEveryPartWhetherItRan() {
    assertThat(GpuPage.of(GpuPage.NOTHING))
        .contains("report nothing | open | `kernels/gpu-check --part sanitizer` |")
        .contains("the share of its texts that are the CPU's | open |");
    Results some =
        results(
            passed("sanitizer", "memcheck report", Map.of()),
            new Item("sanitizer", "racecheck report", Status.FAILED, 1, "2 hazards", Map.of()));

    assertThat(GpuPage.of(some))
        .contains("report nothing | 1 passed, 1 failed, 0 skipped |")
        .contains("the share of its texts that are the CPU's | open |");
  }

  @Test
  void resultsAreReadAsTheyWereWritten() throws Exception {
    Results all = complete();
    all.write(dir.resolve("results.json"));

    assertThat(Report.of(Results.read(dir.resolve("results.json")), SHAPES))
        .isEqualTo(Report.of(all, SHAPES));
  }

  /** Mend it with {@code kernels/gpu-check --page >docs/benchmarks/gpu.md}. */
  @Test
  void thePageIsThatOfTheMeasuredResults() throws Exception {
    Results measured = Files.exists(MEASURED) ? Results.read(MEASURED) : GpuPage.NOTHING;

    assertThat(Files.readString(PAGE)).isEqualTo(GpuPage.of(measured));
  }
}

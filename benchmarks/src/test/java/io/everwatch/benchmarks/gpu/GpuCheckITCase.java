// SPDX-License-Identifier: Apache-2.0
package io.everwatch.benchmarks.gpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The script runs to its end on the stand-in driver, part by part, and fails loudly. */
class GpuCheckITCase {
  private static final Path SCRIPT = Path.of("../kernels/gpu-check").toAbsolutePath().normalize();
  private static final Path EMULATION = Path.of("../kernels/target/emulation");
  private static final Path ALL = Path.of("../job/target/everwatch-all.jar");
  private static final long LIMIT_SECONDS = 600;

  @TempDir private Path dir;

  /**
   * What it said.
   *
   * @param code its exit code
   */
  private record Said(int code, String text) {}

  private Said run(String... arguments) throws Exception {
    return run(Map.of(), arguments);
  }

  private Said run(Map<String, String> environment, String... arguments) throws Exception {
    assumeThat(EMULATION.resolve("libcuda.so.1")).as("the stand-in driver (needs g++)").exists();
    assumeThat(ALL).as("the job's jar; build it with mvn package").exists();
    List<String> line = new ArrayList<>(List.of("bash", SCRIPT.toString(), "--emulated", "--tiny"));
    line.addAll(List.of("--out", dir.resolve("results").toString()));
    line.addAll(List.of(arguments));
    Path log = dir.resolve("log");
    ProcessBuilder builder = new ProcessBuilder(line).redirectErrorStream(true);
    builder.environment().put("JAVA_HOME", System.getProperty("java.home"));
    builder.environment().put("PYTHON", "no-python"); // whatever this machine has
    builder.environment().putAll(environment);
    Process process = builder.redirectOutput(log.toFile()).start();
    try {
      assertThat(process.waitFor(LIMIT_SECONDS, TimeUnit.SECONDS))
          .as("its end within %d s; %s", LIMIT_SECONDS, tail(log))
          .isTrue();
    } finally {
      process.descendants().forEach(ProcessHandle::destroyForcibly);
      process.destroyForcibly();
    }
    return new Said(process.exitValue(), Files.readString(log));
  }

  private static String tail(Path log) throws IOException {
    List<String> lines = Files.readAllLines(log);
    return String.join("\n", lines.subList(Math.max(0, lines.size() - 30), lines.size()));
  }

  /** The build's own tests run elsewhere in the build: two classes of them show that they can. */
  @Test
  void everyPartRunsAndAgrees() throws Exception {
    Said said = run("--only", "SmokeTest|CudaGraphsTest");

    assertThat(said.code()).as(said.text()).isZero();
    Results results = results();
    assertThat(Results.PARTS)
        .allSatisfy(part -> assertThat(results.of(part)).as(part).isNotEmpty());
    assertThat(results.with(Item.Status.SKIPPED))
        .extracting(item -> item.part() + " " + item.item())
        .containsExactly("sanitizer all", "torch all");
    assertThat(results.items())
        .filteredOn(item -> item.status() != Item.Status.SKIPPED)
        .allSatisfy(
            item -> assertThat(item.status()).as(item.toString()).isEqualTo(Item.Status.PASSED));
    assertThat(results.of("kernels")).extracting(Item::item).contains("SmokeTest");
    assertThat(results.of("engine"))
        .filteredOn(item -> item.item().startsWith("step "))
        .isNotEmpty()
        .allSatisfy(
            item -> {
              assertThat(item.number("replaysPerStep")).as(item.item()).isOne();
              assertThat(item.number("allocationsPerStep")).as(item.item()).isZero();
            });
    assertThat(results.of("engine"))
        .anySatisfy(item -> assertThat(item.number("heapBytesPerToken")).isPositive());
    assertThat(Goal.of(results, Shapes.of("tiny")))
        .as("of a GPU, a PyTorch and a nvidia-smi")
        .filteredOn(goal -> goal.reached().isPresent())
        .hasSizeGreaterThan(3);
    assertThat(Files.readString(dir.resolve("results/gpu-check.md")))
        .contains("Agreed so far: ")
        .doesNotContain("not run");
  }

  /** Launches that do nothing leave in place what was there before: wrong numbers, no error. */
  @Test
  void numbersThatDisagreeFailLoudly() throws Exception {
    Said said = run(Map.of("CUEMU", "null=1"), "--part", "gemm");

    assertThat(said.code()).as(said.text()).isEqualTo(1);
    assertThat(results().items())
        .hasSize(4)
        .allSatisfy(item -> assertThat(item.status()).isEqualTo(Item.Status.FAILED));
    assertThat(said.text()).contains("**FAILED**: 0 passed, 4 failed");
  }

  private Results results() throws IOException {
    return Results.read(dir.resolve("results/gpu-check.json"));
  }

  @Test
  void whatWasDoneIsNotDoneAgainAndAnotherRunDoesNotMixWithIt() throws Exception {
    assertThat(run("--part", "driver", "--seconds", "0"))
        .satisfies(said -> assertThat(said.code()).as(said.text()).isEqualTo(3))
        .satisfies(said -> assertThat(said.text()).contains("the time is over"));
    assertThat(run("--part", "driver").code()).isZero();

    Said again = run("--part", "driver");
    assertThat(again.code()).isZero();
    assertThat(again.text()).doesNotContain("driver: entry points");

    assertThat(run("--part", "driver", "--device", "cuda:1"))
        .satisfies(said -> assertThat(said.code()).isEqualTo(2))
        .satisfies(said -> assertThat(said.text()).contains("holds results of", "--fresh"));
  }

  @Test
  void aDeviceThatIsNotThereFailsLoudly() throws Exception {
    Said said = run("--part", "driver", "--device", "cuda:7");

    assertThat(said.code()).as(said.text()).isEqualTo(1);
    assertThat(said.text()).contains("driver: device: FAILED");
    assertThat(Files.readString(dir.resolve("results/gpu-check.md"))).contains("**FAILED**");
  }

  @Test
  void wrongUseIsNamed() throws Exception {
    assertThat(run("--part", "tea").text()).contains("there is no part 'tea'; expected some of");
    assertThat(run("--milk").text()).contains("there is no option '--milk'");
  }
}

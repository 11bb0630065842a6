// SPDX-License-Identifier: Apache-2.0
package io.everwatch.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Collection;
import org.junit.jupiter.api.Test;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.ChainedOptionsBuilder;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;
import org.openjdk.jmh.runner.options.VerboseMode;

/** Every benchmark runs, and its set-up finds the result right. */
class BenchmarksTest {
  @Test
  void everyProductRunsOnce() throws Exception {
    assertThat(run(once("LinearBenchmark").param("tokens", "1", "40")))
        .hasSize(2 * 3 * 2)
        .allSatisfy(BenchmarksTest::hasGflop);
  }

  @Test
  void everyAttentionRunsOnce() throws Exception {
    assertThat(run(once("AttendBenchmark")))
        .hasSize(2 * 2 * 2 * 2)
        .allSatisfy(BenchmarksTest::hasGflop);
  }

  private static void hasGflop(RunResult result) {
    assertThat(result.getSecondaryResults())
        .hasEntrySatisfying("gflop", gflop -> assertThat(gflop.getScore()).isPositive());
  }

  private static ChainedOptionsBuilder once(String benchmark) {
    return new OptionsBuilder()
        .include("\\." + benchmark + "\\.")
        .forks(0)
        .warmupIterations(0)
        .measurementIterations(1)
        .measurementTime(TimeValue.milliseconds(1))
        .shouldFailOnError(true)
        .verbosity(VerboseMode.SILENT);
  }

  private static Collection<RunResult> run(ChainedOptionsBuilder options) throws RunnerException {
    return new Runner(options.build()).run();
  }
}

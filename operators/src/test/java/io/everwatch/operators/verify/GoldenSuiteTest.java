// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.verify;

import static org.assertj.core.api.Assertions.assertThat;

import io.everwatch.kernels.Backend;
import io.everwatch.kernels.BackendOptions;
import io.everwatch.kernels.Backends;
import io.everwatch.kernels.DType;
import io.everwatch.kernels.cuda.RequiresDevice;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicContainer;
import org.junit.jupiter.api.DynamicNode;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

class GoldenSuiteTest {
  private static final Path QWEN = Path.of("src/test/golden/qwen2_5_vl");

  @TestFactory
  Stream<DynamicNode> everyCaseIsWithinItsLimit() {
    return Stream.of(false, true).map(plain -> everyCase("cpu", new BackendOptions(2, plain)));
  }

  @TestFactory
  @RequiresDevice
  Stream<DynamicNode> everyCaseIsWithinTheLimitOfItsTypeOnTheGpu() {
    return Stream.of(DType.F32, DType.BF16)
        .map(type -> everyCase("cuda", BackendOptions.defaults().withDtype(type)));
  }

  private static DynamicNode everyCase(String device, BackendOptions options) {
    List<GoldenResult> results = new ArrayList<>();
    try (Backend backend = Backends.open(device, options)) {
      GoldenSuite.run(QWEN, backend, results::add);
      return DynamicContainer.dynamicContainer(backend.numerics(), tests(results));
    }
  }

  private static Stream<DynamicNode> tests(List<GoldenResult> results) {
    Map<String, List<GoldenResult>> groups =
        results.stream().collect(Collectors.groupingBy(GoldenResult::group));
    DynamicTest complete =
        DynamicTest.dynamicTest(
            "every group ran",
            () ->
                assertThat(groups.keySet())
                    .containsAll(GoldenSuite.groups().subList(0, GoldenSuite.groups().size() - 1))
                    .doesNotContain("flexprefill")); // has a directory of its own
    return Stream.concat(
        Stream.of(complete),
        groups.entrySet().stream()
            .map(
                group ->
                    DynamicContainer.dynamicContainer(group.getKey(), cases(group.getValue()))));
  }

  private static Stream<DynamicTest> cases(List<GoldenResult> results) {
    return results.stream()
        .map(
            result ->
                DynamicTest.dynamicTest(
                    result.name(),
                    () ->
                        assertThat(result.passed())
                            .as(
                                "worst %s, limit %s %s",
                                result.worst(), result.limit(), result.detail())
                            .isTrue()));
  }

  @Test
  void aDirectoryWithoutCasesGivesNoResult(@TempDir Path empty) {
    assertThat(run(empty)).isEmpty();
  }

  @Test
  void aWrongNumberFailsItsCaseAlone(@TempDir Path directory) throws IOException {
    Files.copy(QWEN.resolve("dtypes.safetensors"), directory.resolve("dtypes.safetensors"));
    String cases = Files.readString(QWEN.resolve("dtypes.json"));
    Files.writeString(directory.resolve("dtypes.json"), cases.replaceFirst("c01d7740", "c01d7741"));

    List<GoldenResult> results = run(directory);

    assertThat(results).hasSizeGreaterThan(5);
    assertThat(results.stream().filter(result -> !result.passed()))
        .containsExactly(
            new GoldenResult(
                "dtypes", "f32", 1, 0, false, "c01d7740 at index 0, expected c01d7741"));
  }

  @Test
  void aDamagedFileIsAFailedResult(@TempDir Path directory) throws IOException {
    Files.createDirectory(directory.resolve("sampling"));
    Files.copy(QWEN.resolve("sampling/cases.json"), directory.resolve("sampling/cases.json"));
    Files.writeString(directory.resolve("sampling/sampling.safetensors"), "cut");

    List<GoldenResult> results = run(directory);

    assertThat(results)
        .singleElement()
        .satisfies(
            result -> {
              assertThat(result.passed()).isFalse();
              assertThat(result.worst()).isNaN();
              assertThat(result.detail()).contains("sampling.safetensors");
            });
  }

  private static List<GoldenResult> run(Path directory) {
    List<GoldenResult> results = new ArrayList<>();
    try (Backend cpu = Backends.open("cpu", new BackendOptions(1, true))) {
      GoldenSuite.run(directory, cpu, results::add);
    }
    return results;
  }
}

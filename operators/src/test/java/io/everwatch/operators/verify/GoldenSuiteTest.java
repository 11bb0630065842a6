// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.verify;

import static org.assertj.core.api.Assertions.assertThat;

import io.everwatch.kernels.Backend;
import io.everwatch.kernels.BackendOptions;
import io.everwatch.kernels.Backends;
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
    return Stream.of(false, true)
        .map(
            plain -> {
              List<GoldenResult> results = new ArrayList<>();
              try (Backend cpu = Backends.open("cpu", new BackendOptions(2, plain))) {
                GoldenSuite.run(QWEN, cpu, results::add);
                return DynamicContainer.dynamicContainer(cpu.numerics(), tests(results));
              }
            });
  }

  private static Stream<DynamicNode> tests(List<GoldenResult> results) {
    Map<String, List<GoldenResult>> groups =
        results.stream().collect(Collectors.groupingBy(GoldenResult::group));
    DynamicTest complete =
        DynamicTest.dynamicTest(
            "every group ran", () -> assertThat(groups.keySet()).containsAll(GoldenSuite.groups()));
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
    List<GoldenResult> results = new ArrayList<>();
    try (Backend cpu = Backends.open("cpu", new BackendOptions(1, true))) {
      GoldenSuite.run(empty, cpu, results::add);
    }

    assertThat(results).isEmpty();
  }
}

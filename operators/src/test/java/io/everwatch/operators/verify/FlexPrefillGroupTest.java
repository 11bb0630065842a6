// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.verify;

import static org.assertj.core.api.Assertions.assertThat;

import io.everwatch.kernels.Backend;
import io.everwatch.kernels.BackendOptions;
import io.everwatch.kernels.Backends;
import io.everwatch.kernels.DType;
import io.everwatch.kernels.cuda.RequiresDevice;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicContainer;
import org.junit.jupiter.api.DynamicNode;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/** Sparse prefill attention against the fixtures of the published method. */
class FlexPrefillGroupTest {
  private static final Path FLEX = Path.of("src/test/golden/flexprefill");
  private static final String SMALL = "short_chunk_b32_d32.safetensors";

  @TestFactory
  Stream<DynamicNode> everyCaseIsWithinItsLimits() {
    return Stream.of(false, true).map(plain -> everyCase("cpu", new BackendOptions(2, plain)));
  }

  @TestFactory
  @RequiresDevice
  Stream<DynamicNode> everyCaseIsWithinItsLimitsOnAGpu() {
    return Stream.of(DType.F32, DType.BF16)
        .map(type -> everyCase("cuda", new BackendOptions(1, false).withDtype(type)));
  }

  private static DynamicNode everyCase(String device, BackendOptions options) {
    List<GoldenResult> results = new ArrayList<>();
    try (Backend backend = Backends.open(device, options)) {
      GoldenSuite.run(FLEX, backend, results::add);
      return DynamicContainer.dynamicContainer(
          backend.numerics(),
          Stream.concat(
              Stream.of(
                  DynamicTest.dynamicTest(
                      "every file is a case", () -> assertThat(results).hasSize(10))),
              results.stream()
                  .map(
                      result ->
                          DynamicTest.dynamicTest(
                              result.name(),
                              () ->
                                  assertThat(result.passed())
                                      .as("%s of its limit; %s", result.worst(), result.detail())
                                      .isTrue()))));
    }
  }

  @Test
  void filesAreFoundInAFolderOfTheDirectory(@TempDir Path directory) throws IOException {
    Path folder = Files.createDirectory(directory.resolve("other"));
    Files.copy(FLEX.resolve(SMALL), folder.resolve(SMALL));
    Files.writeString(directory.resolve("other.safetensors"), "not one of ours");

    assertThat(run(directory))
        .singleElement()
        .satisfies(
            result -> {
              assertThat(result.group()).isEqualTo("flexprefill");
              assertThat(result.name()).isEqualTo("short_chunk_b32_d32");
              assertThat(result.passed()).isTrue();
            });
  }

  /** The byte behind which a tensor's data begin. */
  private static int start(byte[] file, String tensor) {
    int header = (file[0] & 0xFF) | ((file[1] & 0xFF) << 8);
    String json = new String(file, 8, header, StandardCharsets.UTF_8);
    int at = json.indexOf("[", json.indexOf("data_offsets", json.indexOf('"' + tensor + '"')));
    return 8 + header + Integer.parseInt(json.substring(at + 1, json.indexOf(',', at)));
  }

  private static GoldenResult with(Path directory, String tensor, int at, int value)
      throws IOException {
    byte[] file = Files.readAllBytes(FLEX.resolve(SMALL));
    file[start(file, tensor) + at] = (byte) value;
    Files.write(directory.resolve(SMALL), file);
    List<GoldenResult> results = run(directory);
    assertThat(results).hasSize(1);
    return results.get(0);
  }

  @Test
  void aWrongNumberOfAnyKindFailsItsCase(@TempDir Path directory) throws IOException {
    assertThat(with(directory, "pattern", 0, 1).detail()).contains("head 0: pattern");
    assertThat(with(directory, "js_distance", 3, 0x40).detail()).contains("head 0: distance");
    assertThat(with(directory, "column_mass", 3, 0x40).detail()).contains("column_mass");
    assertThat(with(directory, "offset_mass", 3, 0x40).detail()).contains("offset_mass");
    assertThat(with(directory, "pooled_estimate", 3, 0x40).detail()).contains("pooled_estimate");
    assertThat(with(directory, "tokens_to_cover", 0, 99).detail()).contains("tokens to cover");
    assertThat(with(directory, "budget_blocks", 0, 9).detail()).contains("budgets");
    assertThat(with(directory, "out", 1, 0x44).detail()).contains("prescribed out");
    assertThat(with(directory, "lse", 3, 0x44).detail()).contains("lse");
    assertThat(with(directory, "mask_may", 0, 0).detail()).contains("blocks too many");
    assertThat(with(directory, "v", 1, 0x44)).matches(result -> !result.passed());
  }

  @Test
  void aDamagedFileIsAFailedResult(@TempDir Path directory) throws IOException {
    Path folder = Files.createDirectory(directory.resolve("flexprefill"));
    Files.writeString(folder.resolve("cut.safetensors"), "cut");
    String small = Files.readString(FLEX.resolve(SMALL), StandardCharsets.ISO_8859_1);
    Files.writeString(
        folder.resolve("gamma.safetensors"),
        small.replace("\"gamma\":\"0.9\"", "\"gamma\":\"1.9\""),
        StandardCharsets.ISO_8859_1);

    List<GoldenResult> results = run(directory);

    assertThat(results).extracting(GoldenResult::passed).containsExactly(false, false);
    assertThat(results.get(0).detail()).contains("cut.safetensors");
    assertThat(results.get(1).detail()).contains("gamma is 1.9");
  }

  private static List<GoldenResult> run(Path directory) {
    List<GoldenResult> results = new ArrayList<>();
    try (Backend cpu = Backends.open("cpu", new BackendOptions(1, true))) {
      GoldenSuite.run(directory, cpu, results::add);
    }
    return results;
  }
}

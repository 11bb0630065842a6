// SPDX-License-Identifier: Apache-2.0
package io.everwatch.benchmarks.gpu;

import com.fasterxml.jackson.annotation.JsonIgnore;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.everwatch.benchmarks.gpu.Item.Status;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;

/**
 * What a run of gpu-check came to so far: {@code gpu-check.json}.
 *
 * @param run what was run, when and on what: commit, sizes, device option, whether it was emulated
 * @param items the last word on each, part by part
 */
record Results(Map<String, String> run, List<Item> items) {
  /** Every part, in the order in which they are run. */
  static final List<String> PARTS =
      List.of(
          "driver",
          "kernels",
          "sanitizer",
          "golden",
          "gemm",
          "attention",
          "sparse",
          "engine",
          "job",
          "torch");

  private static final JsonMapper JSON = new JsonMapper();

  /** From the parts' files in a directory. */
  static Results collect(Map<String, String> run, Path directory) {
    List<Item> items = new ArrayList<>();
    for (String part : PARTS) {
      Map<String, Item> last = new LinkedHashMap<>();
      Ledger.read(directory.resolve(part + ".jsonl")).forEach(item -> last.put(item.item(), item));
      items.addAll(last.values());
    }
    return new Results(run, items);
  }

  static Results read(Path file) throws IOException {
    return JSON.readValue(file.toFile(), Results.class);
  }

  void write(Path file) throws IOException {
    JSON.writerWithDefaultPrettyPrinter().writeValue(file.toFile(), this);
  }

  List<Item> of(String part) {
    return items.stream().filter(item -> item.part().equals(part)).toList();
  }

  List<Item> with(Status status) {
    return items.stream().filter(item -> item.status() == status).toList();
  }

  /** Whether its figures say anything about a GPU. */
  @JsonIgnore
  boolean isEmulated() {
    return "true".equals(run.get("emulated"));
  }

  /** A number of an item that passed; empty when there is none. */
  OptionalDouble figure(String part, String item, String name) {
    return items.stream()
        .filter(i -> i.part().equals(part) && i.item().equals(item))
        .filter(i -> i.status() == Status.PASSED && Double.isFinite(i.number(name)))
        .mapToDouble(i -> i.number(name))
        .findFirst();
  }

  /**
   * A latency as a multiple of the time that the same run's best product rate and copy bandwidth
   * allow: prompt and vision at the rate of products, then token by token weights and rows once
   * through the device's memory.
   */
  OptionalDouble timesFloor(String item) {
    OptionalDouble bandwidth = figure("driver", "copies", "copyGbPerSecond");
    double rate =
        items.stream()
            .filter(i -> i.part().equals("gemm") || i.part().equals("torch"))
            .filter(i -> i.item().contains(" M=") && i.status() == Status.PASSED)
            .mapToDouble(i -> i.number("tflops"))
            .max()
            .orElse(Double.NaN);
    double[] f =
        List.of(
                "latencyMillisP50",
                "promptRows",
                "contextRows",
                "visionRows",
                "tokens",
                "weightBytes",
                "rowBytes",
                "flopPerPromptRow",
                "flopPerVisionRow")
            .stream()
            .mapToDouble(name -> figure("engine", item, name).orElse(Double.NaN))
            .toArray();
    double products = (f[1] * f[7] + f[3] * f[8]) / (rate * 1e12);
    double reads = f[4] * (f[5] + f[2] * f[6]) / (bandwidth.orElse(Double.NaN) * 1e9);
    double times = f[0] / 1e3 / (products + reads);
    return Double.isFinite(times) ? OptionalDouble.of(times) : OptionalDouble.empty();
  }
}

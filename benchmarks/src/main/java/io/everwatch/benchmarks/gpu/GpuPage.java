// SPDX-License-Identifier: Apache-2.0
package io.everwatch.benchmarks.gpu;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** {@code docs/benchmarks/gpu.md}, from the results of a run; without one, all of it is open. */
final class GpuPage {
  /** What a page without a run is made of. */
  static final Results NOTHING = new Results(Map.of(), List.of());

  /** By part: what it shows that is not a goal of speed. */
  private static final List<Map.Entry<String, String>> SHOWN =
      List.of(
          Map.entry("driver", "the driver has every entry point; what copies and launches take"),
          Map.entry(
              "kernels",
              "every kernel agrees with its reference; a row has the same bits alone and among 1, 7 and 63 others, in every bucket, recorded or not"),
          Map.entry("sanitizer", "memcheck and racecheck of compute-sanitizer report nothing"),
          Map.entry(
              "golden",
              "the published model's numbers in f32 and bf16; a stream of the engine says the same alone and among others"),
          Map.entry(
              "engine",
              "counted per step of all streams: launches, recorded passes, copies in and out, allocations; bytes of the Java heap per token"),
          Map.entry(
              "job",
              "the Flink job on this device, and the share of its texts that are the CPU's"));

  private GpuPage() {}

  static String of(Results results) {
    Shapes shapes = Shapes.of("full");
    List<String> lines = new ArrayList<>();
    lines.add("# On a GPU");
    lines.add("");
    lines.add(
        "Generated from the results of `kernels/gpu-check` by `kernels/gpu-check --page RESULTS`; do not edit.");
    lines.add("");
    if (results.items().isEmpty() || results.isEmulated()) {
      lines.add(
          "Nothing here was measured yet: no GPU was at hand. Kernels and engine run in every build on the stand-in driver,");
      lines.add(
          "which says nothing about time. The commands are those that measure it, on a machine with");
      lines.add("one H200, NVIDIA's driver from release 580 on, and PyTorch for the peers:");
      lines.add("");
      lines.add("```sh");
      lines.add(
          "kernels/gpu-bundle.sh   # here; copy kernels/target/gpu-bundle/*.tar.xz there and unpack them");
      lines.add(
          "./gpu-check --out results        # there, again and again until it exits with 0 or 1");
      lines.add("kernels/gpu-check --page results/gpu-check.json >docs/benchmarks/gpu.md");
      lines.add("```");
    } else {
      results.run().forEach((name, value) -> lines.add("- %s: %s".formatted(name, value)));
      results.of("driver").stream()
          .filter(item -> item.item().equals("device"))
          .forEach(
              item ->
                  item.figures()
                      .forEach((name, value) -> lines.add("- %s: %s".formatted(name, value))));
      lines.add("");
      lines.add(Report.verdict(results));
    }
    lines.add("");
    lines.add("## Goals");
    lines.add("");
    lines.add(
        "Shapes of Qwen2.5-VL-7B in bf16, weights made up from a seed; every ratio is of two figures of one run. The copy");
    lines.add(
        "bandwidth is that of a copy of 4 GiB on the device, reads and writes counted. The floor of a latency is computed");
    lines.add("from it and from the run's best product.");
    lines.add("");
    lines.addAll(Report.goals(results, shapes, true));
    lines.add("");
    lines.add("## What else only a GPU shows");
    lines.add("");
    lines.add("| what | items | |");
    lines.add("| --- | --- | --- |");
    SHOWN.forEach(part -> lines.add(shown(results, part.getKey(), part.getValue())));
    lines.add("");
    lines.add("An hour of video, turn by turn beside the CPU: [gpu-equality](gpu-equality.md).");
    if (!results.items().isEmpty() && !results.isEmulated()) {
      table(lines, results, "gemm", "Products");
      table(lines, results, "attention", "Attention");
      table(lines, results, "sparse", "Sparse prefill attention");
      table(lines, results, "engine", "The whole engine");
      table(lines, results, "torch", "PyTorch");
      table(lines, results, "driver", "Driver");
    }
    return String.join("\n", lines) + "\n";
  }

  private static String shown(Results results, String part, String what) {
    Results own = new Results(results.run(), results.of(part));
    boolean open = own.items().isEmpty() || results.isEmulated();
    return "| %s | %s | %s |"
        .formatted(
            what,
            open ? "open" : Report.counts(own),
            open ? "`kernels/gpu-check --part %s`".formatted(part) : "");
  }

  private static void table(List<String> lines, Results results, String part, String title) {
    lines.add("");
    lines.add("## " + title);
    lines.add("");
    lines.add("| item | figures |");
    lines.add("| --- | --- |");
    for (Item item : results.of(part)) {
      List<String> figures = new ArrayList<>();
      item.figures()
          .forEach(
              (name, value) ->
                  figures.add(
                      name
                          + " "
                          + (value instanceof Double number ? Report.number(number) : value)));
      lines.add(
          "| %s | %s |"
              .formatted(
                  item.item(),
                  item.detail().isEmpty() ? String.join(", ", figures) : item.detail()));
    }
  }
}

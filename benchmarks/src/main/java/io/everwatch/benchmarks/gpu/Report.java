// SPDX-License-Identifier: Apache-2.0
package io.everwatch.benchmarks.gpu;

import io.everwatch.benchmarks.gpu.Item.Status;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;

/** A run of gpu-check for people: {@code gpu-check.md}. */
final class Report {
  private final Results results;
  private final Shapes shapes;
  private final StringBuilder out = new StringBuilder();

  private Report(Results results, Shapes shapes) {
    this.results = results;
    this.shapes = shapes;
  }

  static String of(Results results, Shapes shapes) {
    return new Report(results, shapes).write();
  }

  private String write() {
    line("# gpu-check");
    line("");
    results.run().forEach((name, value) -> line("- %s: %s".formatted(name, value)));
    facts();
    line("");
    line(verdict(results));
    for (Item item : results.with(Status.FAILED)) {
      line("- **%s, %s** failed: %s".formatted(item.part(), item.item(), item.detail()));
    }
    for (Item item : results.with(Status.STARTED)) {
      line("- **%s, %s** did not end".formatted(item.part(), item.item()));
    }
    for (Item item : results.with(Status.SKIPPED)) {
      line("- %s, %s skipped: %s".formatted(item.part(), item.item(), item.detail()));
    }
    line("");
    line("## Goals");
    line("");
    goals(results, shapes, false).forEach(this::line);
    for (String part : Results.PARTS) {
      part(part);
    }
    return out.toString();
  }

  private void facts() {
    results.of("driver").stream()
        .filter(item -> item.item().equals("device") && item.status() == Status.PASSED)
        .forEach(
            item ->
                item.figures().forEach((name, value) -> line("- %s: %s".formatted(name, value))));
  }

  /** One line. */
  static String verdict(Results results) {
    List<String> open = Results.PARTS.stream().filter(part -> results.of(part).isEmpty()).toList();
    return (failed(results) > 0 ? "**FAILED**: " : "Agreed so far: ")
        + counts(results)
        + (open.isEmpty() ? "" : "; not run: " + String.join(", ", open));
  }

  /** {@code 58 passed, 0 failed, 2 skipped}. */
  static String counts(Results results) {
    return "%d passed, %d failed, %d skipped"
        .formatted(
            results.with(Status.PASSED).size(),
            failed(results),
            results.with(Status.SKIPPED).size());
  }

  private static int failed(Results results) {
    return results.with(Status.FAILED).size() + results.with(Status.STARTED).size();
  }

  /**
   * Table of the goals.
   *
   * @param command whether open ones tell how they are measured
   */
  static List<String> goals(Results results, Shapes shapes, boolean command) {
    List<String> lines = new java.util.ArrayList<>();
    lines.add("| what | goal | reached | |");
    lines.add("| --- | --- | --- | --- |");
    for (Goal goal : Goal.of(results, shapes)) {
      boolean counts = goal.reached().isPresent() && !results.isEmulated();
      lines.add(
          "| %s | %s | %s | %s |"
              .formatted(
                  goal.what(),
                  goal.wanted(),
                  counts ? number(goal.reached().getAsDouble()) + goal.unit() : "open",
                  counts
                      ? goal.isMet() ? "met" : "**missed**"
                      : command ? "`kernels/gpu-check --part %s`".formatted(goal.parts()) : ""));
    }
    return lines;
  }

  private void part(String part) {
    List<Item> items = results.of(part);
    if (items.isEmpty()) {
      return;
    }
    line("");
    line("## " + part);
    line("");
    line("| item | | s | figures |");
    line("| --- | --- | --- | --- |");
    for (Item item : items) {
      line(
          "| %s | %s | %s | %s |"
              .formatted(
                  item.item(),
                  item.status().name().toLowerCase(Locale.ROOT),
                  number(item.seconds()),
                  figures(item)));
    }
  }

  private String figures(Item item) {
    String own =
        item.figures().entrySet().stream()
            .map(entry -> entry.getKey() + " " + value(entry))
            .collect(Collectors.joining(", "));
    double peer =
        results.figure("torch", item.item(), "tflops").orElse(Double.NaN) / item.number("tflops");
    return item.part().equals("torch") || !Double.isFinite(peer)
        ? own
        : own + ", of PyTorch's " + number(1 / peer);
  }

  private static String value(Map.Entry<String, Object> entry) {
    return entry.getValue() instanceof Double number
        ? number(number)
        : String.valueOf(entry.getValue()).replace("|", "/");
  }

  static String number(double value) {
    double size = Math.abs(value);
    return String.format(
        Locale.ROOT,
        size >= 100 || size == Math.rint(size) ? "%,.0f" : size >= 1 ? "%.2f" : "%.3g",
        value);
  }

  private void line(String text) {
    out.append(text).append('\n');
  }
}

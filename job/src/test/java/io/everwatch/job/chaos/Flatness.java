// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.chaos;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.function.ToDoubleFunction;

/**
 * Whether a figure that was taken again and again stays as it was after a while. The rule: the
 * first tenth of the samples is warm-up; of the rest, the median of the last third may exceed the
 * median of the first third by the tolerance. Of a figure that swings like a saw (files between two
 * merges, a heap between two snapshots) the smallest values are compared instead: a leak raises
 * them too. What grows with the length of a stream, however slowly, fails if the run is long
 * enough; one peak does not.
 *
 * @param name of the figure
 * @param before of the first third after the warm-up; NaN with fewer than ten samples
 * @param after of the last third
 * @param tolerance share by which {@code after} may be larger
 */
record Flatness(String name, double before, double after, double tolerance) {
  private static final int LEAST = 10;

  static Flatness of(String name, List<Double> samples, double tolerance) {
    return of(name, samples, tolerance, Flatness::median);
  }

  /** For a figure that swings. */
  static Flatness ofFloor(String name, List<Double> samples, double tolerance) {
    return of(name + ", smallest", samples, tolerance, Flatness::smallest);
  }

  private static Flatness of(
      String name, List<Double> samples, double tolerance, ToDoubleFunction<List<Double>> level) {
    if (samples.size() < LEAST) {
      return new Flatness(name, Double.NaN, Double.NaN, tolerance);
    }
    List<Double> warm = samples.subList((samples.size() + 9) / 10, samples.size());
    int third = warm.size() / 3;
    return new Flatness(
        name,
        level.applyAsDouble(warm.subList(0, third)),
        level.applyAsDouble(warm.subList(warm.size() - third, warm.size())),
        tolerance);
  }

  boolean flat() {
    return after <= before * (1 + tolerance);
  }

  /** One row of a table: figure, before, after, growth, what is allowed, verdict. */
  String row() {
    if (Double.isNaN(before) || Double.isNaN(after)) {
      return "| %s | | | | | too few samples |".formatted(name);
    }
    return String.format(
        Locale.ROOT,
        "| %s | %.4g | %.4g | %+.1f %% | %+.0f %% | %s |",
        name,
        before,
        after,
        100 * (after / before - 1),
        100 * tolerance,
        flat() ? "flat" : "**grows**");
  }

  private static double smallest(List<Double> values) {
    return values.stream().mapToDouble(Double::doubleValue).min().orElse(Double.NaN);
  }

  static double median(List<Double> values) {
    double[] sorted = values.stream().mapToDouble(Double::doubleValue).sorted().toArray();
    if (sorted.length == 0) {
      return Double.NaN;
    }
    return (sorted[(sorted.length - 1) / 2] + sorted[sorted.length / 2]) / 2;
  }

  /** Nearest rank. */
  static double percentile(List<Double> values, int percent) {
    double[] sorted = values.stream().mapToDouble(Double::doubleValue).toArray();
    Arrays.sort(sorted);
    return sorted.length == 0
        ? Double.NaN
        : sorted[(int) ((percent * (long) sorted.length + 99) / 100) - 1];
  }
}

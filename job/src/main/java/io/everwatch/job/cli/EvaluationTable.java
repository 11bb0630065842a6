// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.cli;

import io.everwatch.job.evaluation.Ablation;
import io.everwatch.job.evaluation.Estimate;
import io.everwatch.job.evaluation.EvaluationReport;
import io.everwatch.job.evaluation.Outcome;
import java.io.PrintWriter;
import java.util.List;
import java.util.Locale;
import java.util.OptionalDouble;

/** Evaluations on a terminal: a line for each rate, its parts in columns. */
final class EvaluationTable {
  private final PrintWriter out;

  EvaluationTable(PrintWriter out) {
    this.out = out;
  }

  void print(EvaluationReport report) {
    report.runs().forEach((run, outcome) -> print(report, run, outcome));
  }

  private void print(EvaluationReport report, Ablation run, Outcome outcome) {
    if (report.runs().size() > 1) {
      out.println();
      out.println("%s: %s".formatted(run.name(), run.what()));
    }
    int stretches = outcome.costs().size();
    out.println(
        "95 %% intervals; then by parts of %s minutes"
            .formatted(String.format(Locale.ROOT, "%.1f", (double) report.minutes() / stretches)));
    outcome.estimates().forEach((name, estimate) -> out.println(row(name, estimate, outcome)));
    cost(outcome);
    notes(outcome);
  }

  private static String row(String name, Estimate estimate, Outcome outcome) {
    StringBuilder parts = new StringBuilder();
    outcome.stretches().forEach(part -> parts.append(cell(part.rate(name).value())));
    return String.format(
        Locale.ROOT,
        "%-24s %6.4f [%6.4f, %6.4f] of %7d %s",
        name,
        estimate.value(),
        estimate.low(),
        estimate.high(),
        estimate.rate().whole(),
        parts);
  }

  private void cost(Outcome outcome) {
    List<Outcome.Cost> costs = outcome.costs();
    Outcome.Cost first = costs.get(0);
    Outcome.Cost last = costs.get(costs.size() - 1);
    out.println(
        String.format(
            Locale.ROOT,
            "rows attended over at most: %d in the first part, %d in the last; CPU per second of video: %.1f and %.1f ms",
            first.mostRows(),
            last.mostRows(),
            first.cpuMillis(),
            last.cpuMillis()));
  }

  private void notes(Outcome outcome) {
    if (outcome.rebuilds() > 0) {
      out.println(
          "%,d memories made again, of %,d rows on average"
              .formatted(outcome.rebuilds(), outcome.rebuiltRows() / outcome.rebuilds()));
    }
    if (outcome.sparse().spans() > 0) {
      out.println(
          String.format(
              Locale.ROOT,
              "%d sparse prefills of a layer, density %.3f, kept mass %.3f",
              outcome.sparse().spans(),
              outcome.sparse().density(),
              outcome.sparse().meanKeptMass()));
    }
    if (outcome.failures() > 0) {
      out.println(outcome.failures() + " rounds failed and count as silence");
    }
  }

  private static String cell(OptionalDouble rate) {
    return rate.isPresent() ? String.format(Locale.ROOT, " %5.3f", rate.getAsDouble()) : "     -";
  }
}

// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.evaluation;

import static io.everwatch.job.evaluation.Figures.fixed;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import org.jspecify.annotations.Nullable;

/** An evaluation as Markdown, for people. */
final class EvaluationMarkdown {
  private final EvaluationReport report;
  private final List<String> names;
  private final StringBuilder out = new StringBuilder();

  EvaluationMarkdown(EvaluationReport report) {
    this.report = report;
    this.names =
        report.runs().values().stream().flatMap(o -> o.names().stream()).distinct().toList();
  }

  /**
   * The whole page.
   *
   * @param pictures files beside it, by title
   */
  String text(Map<String, String> pictures) {
    line("# Evaluation of %s".formatted(report.about().getOrDefault("scene", "a scene")));
    line("");
    report.about().forEach((name, value) -> line("- %s: `%s`".formatted(name, value)));
    line("- cameras: seeds %s, %d minutes each".formatted(report.seeds(), report.minutes()));
    line("");
    line(
        "Intervals are 95 %: of a ratio of sums over the cameras (Student's t), or Wilson's of the"
            + " cases where that is wider. What the rates mean is written in `Scorer`.");
    line("");
    if (report.runs().size() > 1) {
      comparison();
    }
    report.runs().forEach(this::details);
    pictures.forEach((title, file) -> line("![%s](%s)\n".formatted(title, file)));
    return out.toString();
  }

  /** A row for each run, a column for each rate. */
  private void comparison() {
    row("", names, "rows at most, first and last tenth", "CPU ms per second, first and last tenth");
    rule(names.size() + 2);
    report
        .runs()
        .forEach(
            (ablation, outcome) -> {
              Map<String, Estimate> estimates = outcome.estimates();
              List<Outcome.Cost> costs = outcome.costs();
              Outcome.Cost first = costs.get(0);
              Outcome.Cost last = costs.get(costs.size() - 1);
              row(
                  "`%s`".formatted(ablation.name()),
                  names.stream().map(name -> cell(estimates.get(name))).toList(),
                  "%,d → %,d".formatted(first.mostRows(), last.mostRows()),
                  fixed(first.cpuMillis(), 1) + " → " + fixed(last.cpuMillis(), 1));
            });
    line("");
  }

  private void details(Ablation ablation, Outcome outcome) {
    line("## %s: %s".formatted(ablation.name(), ablation.what()));
    line("");
    row("rate", List.of("value", "95 % interval", "cases", "last tenth less first"));
    rule(4);
    outcome
        .estimates()
        .forEach(
            (name, estimate) ->
                row(
                    name,
                    List.of(
                        fixed(estimate.value(), 4),
                        fixed(estimate.low(), 4) + " to " + fixed(estimate.high(), 4),
                        "%,d".formatted(estimate.rate().whole()),
                        drift(outcome.drift(name)))));
    line("");
    row("minutes", names, "rows at most", "CPU ms per second");
    rule(names.size() + 2);
    List<Score> stretches = outcome.stretches();
    double part = (double) report.minutes() / stretches.size();
    for (int i = 0; i < stretches.size(); i++) {
      Score score = stretches.get(i);
      row(
          fixed(i * part, 1) + "-" + fixed((i + 1) * part, 1),
          names.stream().map(name -> cell(score.rate(name).value())).toList(),
          "%,d".formatted(outcome.costs().get(i).mostRows()),
          fixed(outcome.costs().get(i).cpuMillis(), 1));
    }
    line("");
    if (outcome.failures() > 0) {
      line("%,d rounds failed and count as silence.\n".formatted(outcome.failures()));
    }
  }

  private void row(String head, List<String> cells, String... more) {
    List<String> all = new ArrayList<>(List.of(head));
    all.addAll(cells);
    all.addAll(List.of(more));
    line("| " + String.join(" | ", all) + " |");
  }

  private void rule(int columns) {
    line("| --- |" + " --- |".repeat(columns));
  }

  private void line(String text) {
    out.append(text).append('\n');
  }

  private static String drift(OptionalDouble value) {
    return value.isPresent() ? Figures.signed(value.getAsDouble(), 4) : "-";
  }

  private static String cell(@Nullable Estimate estimate) {
    return cell(
        Optional.ofNullable(estimate)
            .map(known -> OptionalDouble.of(known.value()))
            .orElse(OptionalDouble.empty()));
  }

  private static String cell(OptionalDouble value) {
    return value.isPresent() ? fixed(value.getAsDouble(), 3) : "-";
  }
}

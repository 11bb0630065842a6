// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.benchmark;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.everwatch.job.benchmark.HttpJudge.Pauses;
import io.everwatch.job.evaluation.Estimate;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * Votes on two files of commentary, from the references to the rate.
 *
 * @param references the benchmark's metadata, or the file of references
 * @param start second at which games begin (Inf-Streams-Eval)
 * @param parallel requests at once
 */
public record Votes(
    Benchmark benchmark, Path references, double start, Path a, Path b, int parallel) {
  /**
   * Asks for the votes that are missing in {@code file}.
   *
   * @param progress hears of each vote
   * @return the figures
   * @throws IllegalArgumentException when the file is of another run, or the endpoint is none
   */
  public ObjectNode into(Path file, Endpoint endpoint, Skips skips, Consumer<String> progress)
      throws IOException, InterruptedException {
    Judge judge = new HttpJudge(endpoint, Pauses.REAL);
    return into(file, endpoint.model(), judge, skips, progress);
  }

  ObjectNode into(Path file, String model, Judge judge, Skips skips, Consumer<String> progress)
      throws IOException, InterruptedException {
    List<Pair> pairs = benchmark.pairs(references, start, a, b, skips);
    try (ResumableLines out = new ResumableLines(file, about(model))) {
      return figures(
          model, new Judging(benchmark, judge, out, skips, progress).run(pairs, parallel), skips);
    }
  }

  private ObjectNode about(String model) {
    ObjectNode about = JsonLines.object();
    about.put("benchmark", benchmark.name()).put("judge", model).put("start", start);
    about.put("references", references.toString());
    return about.put("a", a.toString()).put("b", b.toString());
  }

  private ObjectNode figures(String model, Judging.Result result, Skips skips) {
    ObjectNode figures = about(model);
    figures.put("pieces", result.pieces());
    figures.put("agreedInBothOrders", result.agreed());
    figures.put("undecidedVotes", result.undecided());
    Optional<Estimate> rate = result.winRate();
    rate.ifPresent(
        won ->
            figures
                .putObject("winRateOfA")
                .put("value", won.value())
                .put("low", won.low())
                .put("high", won.high())
                .put("votes", won.rate().whole()));
    ObjectNode skipped = figures.putObject("skipped");
    skips.counts().forEach(skipped::put);
    return figures;
  }
}

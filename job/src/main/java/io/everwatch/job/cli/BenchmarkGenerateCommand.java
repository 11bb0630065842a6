// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.cli;

import io.everwatch.job.benchmark.Benchmark;
import io.everwatch.job.benchmark.Comments;
import io.everwatch.job.benchmark.GenerationOptions;
import io.everwatch.job.benchmark.Skips;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.OptionalInt;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Commentary of a benchmark's videos. */
@Command(
    name = "generate",
    description =
        "Comment the videos of a benchmark; goes on where an earlier run of the same was broken off.",
    mixinStandardHelpOptions = true,
    sortOptions = false)
final class BenchmarkGenerateCommand implements Callable<Integer> {
  @Spec private CommandSpec spec = CommandSpec.create();

  @Option(
      names = "--benchmark",
      required = true,
      paramLabel = "NAME",
      converter = BenchmarkConverter.class,
      description = "inf-streams or livesports.")
  private Benchmark benchmark = Benchmark.INF_STREAMS;

  @Option(
      names = "--metadata",
      required = true,
      paramLabel = "FILE",
      description = "Its clips, one JSON object a line.")
  private Path metadata = Path.of("");

  @Option(
      names = "--videos",
      required = true,
      paramLabel = "DIR",
      description = "Folder below which the videos lie.")
  private Path videos = Path.of("");

  @Option(
      names = "--out",
      required = true,
      paramLabel = "FILE",
      description = "Where the commentary goes, one JSON object a line.")
  private Path out = Path.of("");

  @Option(
      names = "--mode",
      paramLabel = "infinite|chunk[=SECONDS]",
      defaultValue = "infinite",
      description =
          "One stream for each clip, or a fresh one so often (100 s), which is told what the human"
              + " said before (default: ${DEFAULT-VALUE}).")
  private String mode = "infinite";

  @Option(
      names = "--start",
      paramLabel = "SECOND",
      defaultValue = "1000",
      description = "Of inf-streams: where the commentary begins (default: ${DEFAULT-VALUE}).")
  private double start = 1000;

  @Option(
      names = "--query",
      paramLabel = "TEXT",
      description =
          "What the model is asked (default: one for each benchmark); {title} is filled in.")
  private @Nullable String query;

  @Option(
      names = "--query-in-sink",
      description = "The query opens the standing text; as published it stands in the first turn.")
  private boolean queryInSink;

  @Option(
      names = "--parallel",
      paramLabel = "N",
      defaultValue = "1",
      description = "Clips at once (default: ${DEFAULT-VALUE}).")
  private int parallel = 1;

  @Mixin private ModelOptions model = new ModelOptions();

  @Override
  public Integer call() throws IOException, InterruptedException {
    PrintWriter err = spec.commandLine().getErr();
    Skips skips = new Skips(line -> say(err, "left out: " + line));
    try {
      GenerationOptions options =
          new GenerationOptions(
              query == null ? benchmark.query() : query, !queryInSink, pieces(), parallel);
      long lines =
          new Comments(benchmark, metadata, videos, start, options)
              .into(out, model.engineOptions(), skips, line -> say(err, line));
      spec.commandLine().getOut().println("%d lines in %s".formatted(lines, out));
    } catch (IllegalArgumentException e) {
      throw new ParameterException(spec.commandLine(), String.valueOf(e.getMessage()), e);
    }
    skips.counts().forEach((reason, count) -> say(err, "%s: %d left out".formatted(reason, count)));
    return ExitCodes.OK;
  }

  private static void say(PrintWriter err, String line) {
    err.println(line);
    err.flush();
  }

  private OptionalInt pieces() {
    if (mode.equals("infinite")) {
      return OptionalInt.empty();
    }
    if (mode.equals("chunk")) {
      return OptionalInt.of(Benchmark.PIECE_SECONDS);
    }
    if (mode.matches("chunk=\\d{1,6}")) {
      return OptionalInt.of(Integer.parseInt(mode.substring("chunk=".length())));
    }
    throw new IllegalArgumentException(
        "--mode %s; expected infinite, chunk or chunk=SECONDS".formatted(mode));
  }
}

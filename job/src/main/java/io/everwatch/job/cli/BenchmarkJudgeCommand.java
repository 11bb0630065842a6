// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.everwatch.job.benchmark.Benchmark;
import io.everwatch.job.benchmark.Endpoint;
import io.everwatch.job.benchmark.Skips;
import io.everwatch.job.benchmark.Votes;
import java.io.IOException;
import java.io.PrintWriter;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalLong;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** A judge's votes on two commentaries. */
@Command(
    name = "judge",
    description = {
      "Have a language model choose between two commentaries of each piece, in both orders; goes on",
      "where an earlier run of the same was broken off."
    },
    mixinStandardHelpOptions = true,
    sortOptions = false)
final class BenchmarkJudgeCommand implements Callable<Integer> {
  @Spec private CommandSpec spec = CommandSpec.create();

  @Option(
      names = "--benchmark",
      required = true,
      paramLabel = "NAME",
      converter = BenchmarkConverter.class,
      description = "inf-streams or livesports.")
  private Benchmark benchmark = Benchmark.INF_STREAMS;

  @Option(
      names = "--references",
      required = true,
      paramLabel = "FILE",
      description =
          "Of inf-streams the metadata; of livesports {video_id, event_id, gt_asr} a line.")
  private Path references = Path.of("");

  @Option(names = "--a", required = true, paramLabel = "FILE", description = "Commentary A.")
  private Path a = Path.of("");

  @Option(names = "--b", required = true, paramLabel = "FILE", description = "Commentary B.")
  private Path b = Path.of("");

  @Option(
      names = "--out",
      required = true,
      paramLabel = "FILE",
      description = "Where the votes go, one JSON object a line.")
  private Path out = Path.of("");

  @Option(
      names = "--endpoint",
      required = true,
      paramLabel = "URL",
      description = "An OpenAI-compatible one, such as https://HOST/v1.")
  private URI endpoint = URI.create("");

  @Option(
      names = "--judge",
      required = true,
      paramLabel = "MODEL",
      description = "The judge's name there.")
  private String judge = "";

  @Option(
      names = "--key-variable",
      paramLabel = "NAME",
      defaultValue = "OPENAI_API_KEY",
      description =
          "Environment variable with the key; none is sent where it is not set (default:"
              + " ${DEFAULT-VALUE}).")
  private String keyVariable = "OPENAI_API_KEY";

  @Option(
      names = "--temperature",
      paramLabel = "X",
      description = "Sent to the judge (default: not sent; livesports was published with 0).")
  private @Nullable Double temperature;

  @Option(
      names = "--seed",
      paramLabel = "N",
      description = "Sent to the judge (default: not sent; livesports was published with 42).")
  private @Nullable Long seed;

  @Option(
      names = "--timeout",
      paramLabel = "TIME",
      converter = DurationConverter.class,
      defaultValue = "2 min",
      description = "Of one request (default: ${DEFAULT-VALUE}).")
  private Duration timeout = Duration.ofMinutes(2);

  @Option(
      names = "--attempts",
      paramLabel = "N",
      defaultValue = "6",
      description = "Of one request (default: ${DEFAULT-VALUE}).")
  private int attempts = 6;

  @Option(
      names = "--per-minute",
      paramLabel = "N",
      defaultValue = "60",
      description = "Requests a minute at most (default: ${DEFAULT-VALUE}).")
  private double perMinute = 60;

  @Option(
      names = "--parallel",
      paramLabel = "N",
      defaultValue = "4",
      description = "Requests at once (default: ${DEFAULT-VALUE}).")
  private int parallel = 4;

  @Option(
      names = "--start",
      paramLabel = "SECOND",
      defaultValue = "1000",
      description = "Of inf-streams: where the commentary begins (default: ${DEFAULT-VALUE}).")
  private double start = 1000;

  @Option(names = "--json", description = "One JSON object instead of a line.")
  private boolean json;

  @Override
  public Integer call() throws IOException, InterruptedException {
    PrintWriter err = spec.commandLine().getErr();
    if (parallel < 1) {
      throw new ParameterException(
          spec.commandLine(), "--parallel %d; expected at least 1".formatted(parallel));
    }
    Skips skips = new Skips(line -> say(err, "left out: " + line));
    try {
      show(
          new Votes(benchmark, references, start, a, b, parallel)
              .into(out, judgeEndpoint(), skips, line -> say(err, line)));
    } catch (IllegalArgumentException e) {
      throw new ParameterException(spec.commandLine(), String.valueOf(e.getMessage()), e);
    }
    return ExitCodes.OK;
  }

  private Endpoint judgeEndpoint() {
    return new Endpoint(
        endpoint,
        judge,
        Optional.ofNullable(System.getenv(keyVariable)).filter(key -> !key.isBlank()),
        seed == null ? OptionalLong.empty() : OptionalLong.of(seed),
        temperature == null ? OptionalDouble.empty() : OptionalDouble.of(temperature),
        timeout,
        attempts,
        perMinute);
  }

  private static void say(PrintWriter err, String line) {
    err.println(line);
    err.flush();
  }

  private void show(ObjectNode figures) {
    PrintWriter out = spec.commandLine().getOut();
    if (json) {
      out.println(figures);
      return;
    }
    JsonNode rate = figures.path("winRateOfA");
    out.println(
        rate.isMissingNode()
            ? "no vote"
            : String.format(
                Locale.ROOT,
                "A wins %.2f %% of %d votes, 95 %% interval %.2f to %.2f; both orders agree on %d of %d pieces",
                100 * rate.get("value").asDouble(),
                rate.get("votes").asLong(),
                100 * rate.get("low").asDouble(),
                100 * rate.get("high").asDouble(),
                figures.get("agreedInBothOrders").asLong(),
                figures.get("pieces").asLong()));
    figures
        .path("skipped")
        .properties()
        .forEach(skip -> out.println("%s: %s left out".formatted(skip.getKey(), skip.getValue())));
  }
}

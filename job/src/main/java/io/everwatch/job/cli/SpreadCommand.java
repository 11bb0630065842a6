// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.cli;

import io.everwatch.job.broker.TopicNames;
import io.everwatch.job.spread.SpreadFile;
import io.everwatch.job.spread.StreamsOfTopic;
import io.everwatch.operators.flink.SpreadRegistry;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code everwatch spread}: makes and extends the file of {@code spread.registry}. */
@Command(
    name = "spread",
    description =
        "Make or extend the registry that spreads streams evenly over the subtasks, and print the"
            + " load. Lines that are there never change.",
    mixinStandardHelpOptions = true)
final class SpreadCommand implements Callable<Integer> {
  @Spec private CommandSpec spec = CommandSpec.create();

  @Option(
      names = "--registry",
      required = true,
      paramLabel = "FILE",
      description = "The file; made when it is not there and streams are added.")
  private Path file = Path.of("");

  @Option(
      names = "--add",
      arity = "1..*",
      paramLabel = "ID",
      description = "Streams to add; those that are listed already are passed over.")
  private List<String> added = new ArrayList<>();

  /** Where streams are looked for. */
  static final class Cameras {
    @Option(
        names = "--from-topic",
        required = true,
        arity = "0..1",
        fallbackValue = TopicNames.FRAMES,
        paramLabel = "NAME",
        description =
            "Add the streams that lately sent frames to this topic (default: ${FALLBACK-VALUE}).")
    private String topic = "";

    @Option(
        names = "--since",
        paramLabel = "TIME",
        converter = DurationConverter.class,
        defaultValue = "1min",
        description = "How far --from-topic looks back (default: ${DEFAULT-VALUE}).")
    private Duration since = Duration.ofMinutes(1);

    @ArgGroup(exclusive = false, multiplicity = "1")
    private BrokerOptions brokers = new BrokerOptions();

    Collection<String> streams() {
      brokers.requireReachable();
      Collection<String> found =
          StreamsOfTopic.since(Instant.now().minus(since), topic, brokers.clientProperties());
      if (found.isEmpty()) {
        throw new CliException(
            "no frame was written to %s in the last %s; expected cameras that run; is this the topic"
                    .formatted(topic, since)
                + " of frames, or should --since look further back?");
      }
      return found;
    }
  }

  @ArgGroup(exclusive = false)
  private @Nullable Cameras cameras;

  @Option(
      names = "--parallelism",
      split = ",",
      paramLabel = "N[,…]",
      description = "Print the load for so many subtasks (default: 2,4,8).")
  private List<Integer> parallelisms = List.of(2, 4, 8);

  @Override
  public Integer call() throws IOException {
    for (int parallelism : parallelisms) {
      if (parallelism < 1 || parallelism > SpreadRegistry.KEY_GROUPS) {
        throw new ParameterException(
            spec.commandLine(),
            "--parallelism %d; expected 1 to %d".formatted(parallelism, SpreadRegistry.KEY_GROUPS));
      }
    }
    PrintWriter out = spec.commandLine().getOut();
    Collection<String> streams = new ArrayList<>(added);
    if (cameras != null) {
      streams.addAll(cameras.streams());
    }
    SpreadFile before = read(!streams.isEmpty());
    SpreadFile after = before.with(streams);
    if (!after.places().equals(before.places())) {
      write(after.text());
    }
    out.printf(
        Locale.ROOT,
        "%s: %,d streams, %,d of them new%n",
        file,
        after.places().size(),
        after.places().size() - before.places().size());
    parallelisms.forEach(parallelism -> out.println(load(after, parallelism)));
    out.flush();
    return ExitCodes.OK;
  }

  private SpreadFile read(boolean mayBegin) throws IOException {
    return mayBegin && !Files.exists(file)
        ? SpreadFile.empty()
        : SpreadFile.parse(Files.readString(file));
  }

  /** Whole or not at all: a job may be started meanwhile. */
  private void write(String text) throws IOException {
    Path beside = file.resolveSibling(file.getFileName() + ".new");
    Files.writeString(beside, text);
    Files.move(beside, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
  }

  private static String load(SpreadFile file, int parallelism) {
    long[] load = new long[parallelism];
    SpreadRegistry registry = file.registry();
    file.places().keySet().forEach(id -> load[registry.subtask(id, parallelism)]++);
    double mean = (double) file.places().size() / parallelism;
    return String.format(
        Locale.ROOT,
        "%3d subtasks: %s streams, max / mean %.2f",
        parallelism,
        Arrays.stream(load).mapToObj(Long::toString).collect(Collectors.joining(" ")),
        mean == 0 ? 1 : Arrays.stream(load).max().orElse(0) / mean);
  }
}

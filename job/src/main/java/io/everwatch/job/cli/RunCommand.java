// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.cli;

import io.everwatch.job.broker.Brokers;
import io.everwatch.job.broker.Preflight;
import io.everwatch.job.config.ConfigKeys;
import io.everwatch.job.config.ConfigReference;
import io.everwatch.job.config.Delivery;
import io.everwatch.job.config.EverwatchConfig;
import io.everwatch.job.topology.Checkpoints;
import io.everwatch.job.topology.LocalJob;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;
import picocli.CommandLine.Unmatched;

/** {@code everwatch run}: the job in this process, against brokers of your own. */
@Command(
    name = "run",
    description =
        "Run the job here, against given brokers. Any key of the configuration is an option as well,"
            + " such as --checkpoint.interval 5s.",
    mixinStandardHelpOptions = true)
final class RunCommand implements Callable<Integer> {
  private static final Duration LOOK = Duration.ofMillis(500);

  @Spec private CommandSpec spec = CommandSpec.create();

  @Option(names = "--config", paramLabel = "FILE", description = "YAML; docs/configuration.md.")
  private @Nullable Path file;

  @Option(
      names = "--ui",
      paramLabel = "PORT",
      converter = PortConverter.class,
      defaultValue = "0",
      description = "Port for Flink's web interface (default: none).")
  private int uiPort;

  @Option(
      names = "--connect-timeout",
      paramLabel = "TIME",
      converter = DurationConverter.class,
      defaultValue = "10s",
      description = "How long to wait for the broker's first answer (default: ${DEFAULT-VALUE}).")
  private Duration connectTimeout = Duration.ofSeconds(10);

  @Option(names = "--print-config-reference", description = "Print docs/configuration.md and end.")
  private boolean reference;

  @Unmatched private List<String> overrides = new ArrayList<>();

  @Override
  public Integer call() throws Exception {
    PrintWriter out = spec.commandLine().getOut();
    if (reference) {
      out.print(ConfigReference.markdown());
      out.flush();
      return ExitCodes.OK;
    }
    EverwatchConfig config =
        withCheckpointDirectory(EverwatchConfig.load(Optional.ofNullable(file), overrides));
    config.settings().forEach(out::println);
    ModelReport.settings(config.engineOptions()).forEach(out::println);
    out.println(config.latencyNote());
    out.flush();
    checkBroker(config);
    Optional<Path> restore = restore(config);
    out.println(
        restore
            .map(path -> "goes on from checkpoint " + path)
            .orElse("begins without a checkpoint"));
    out.flush();
    return run(config, restore);
  }

  private int run(EverwatchConfig config, Optional<Path> restore) throws Exception {
    PrintWriter err = spec.commandLine().getErr();
    try (StopSignal stop = new StopSignal();
        TemporaryDirectory temporary = new TemporaryDirectory("everwatch-run");
        LocalJob job = LocalJob.start(config, temporary.path(), uiPort, restore)) {
      err.println("everwatch: running; Ctrl-C ends it, the next run goes on from its checkpoint");
      err.flush();
      while (!stop.await(LOOK)) {
        if (job.ended().isDone()) {
          job.ended().get(); // throws what it failed with
          throw new CliException("the job ended by itself; its input has no end; see the log");
        }
      }
    }
    return ExitCodes.OK;
  }

  private void checkBroker(EverwatchConfig config) {
    Map<String, Object> client = new HashMap<>(config.kafkaProperties());
    Brokers.requireReachable(client, connectTimeout);
    List<String> problems =
        Preflight.problems(
            client,
            List.of(
                config.get(ConfigKeys.FRAMES),
                config.get(ConfigKeys.TEXT),
                config.get(ConfigKeys.DEAD_LETTERS),
                config.get(ConfigKeys.COMMANDS)),
            config.get(ConfigKeys.DELIVERY) == Delivery.EXACTLY_ONCE
                ? config.transactionTimeout()
                : Duration.ZERO);
    if (!problems.isEmpty()) {
      throw new CliException(String.join(System.lineSeparator() + "  ", problems));
    }
  }

  private static EverwatchConfig withCheckpointDirectory(EverwatchConfig config) {
    if (config.get(ConfigKeys.CHECKPOINT_DIR).isPresent()) {
      return config;
    }
    String state = System.getenv("XDG_STATE_HOME");
    Path base =
        state == null || state.isEmpty()
            ? Path.of(System.getProperty("user.home"), ".local", "state")
            : Path.of(state);
    Path dir = base.resolve("everwatch").resolve("checkpoints");
    return config.with(ConfigKeys.CHECKPOINT_DIR.name(), dir.toString(), "default of run");
  }

  private static Optional<Path> restore(EverwatchConfig config) {
    String from = config.get(ConfigKeys.RESTORE);
    if (from.equals("none")) {
      return Optional.empty();
    }
    if (!from.equals("latest")) {
      Path path = Path.of(from);
      if (!Files.exists(path.resolve("_metadata"))) {
        throw new CliException(
            "restore is %s, but there is no complete checkpoint; expected a directory chk-… with a"
                    .formatted(from)
                + " file _metadata");
      }
      return Optional.of(path.toAbsolutePath());
    }
    return Checkpoints.of(config).flatMap(Checkpoints::newest);
  }
}

// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.cli;

import io.everwatch.job.config.ConfigKeys;
import io.everwatch.job.config.ConfigReference;
import io.everwatch.job.config.EverwatchConfig;
import io.everwatch.job.topology.Checkpoints;
import io.everwatch.job.topology.LocalJob;
import io.everwatch.job.topology.StartChecks;
import io.everwatch.job.topology.StartException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
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
    config.latencyNote().forEach(out::println);
    out.flush();
    Optional<Path> restore = restore(config);
    StartChecks.require(config, restore.map(Path::toString), connectTimeout)
        .forEach(warning -> spec.commandLine().getErr().println("everwatch: " + warning));
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
          throw failure(job);
        }
      }
    }
    return ExitCodes.OK;
  }

  private static Exception failure(LocalJob job) throws InterruptedException {
    try {
      job.ended().get();
      return new CliException("the job ended by itself; its input has no end; see the log");
    } catch (ExecutionException e) {
      return e.getCause() instanceof StartException hopeless ? hopeless : e;
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
      return Optional.of(Path.of(from).toAbsolutePath());
    }
    return Checkpoints.of(config).flatMap(Checkpoints::newest);
  }
}

// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.cli;

import io.everwatch.job.config.ConfigKeys;
import io.everwatch.job.demo.Demo;
import io.everwatch.job.demo.DemoOptions;
import io.everwatch.job.demo.DemoOutput;
import io.everwatch.job.demo.DemoSummary;
import java.io.IOException;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code everwatch demo}: everything in one process, nothing to install. */
@Command(
    name = "demo",
    description =
        "Run the job on an embedded Kafka and Flink, with synthetic road cameras, and show what it"
            + " says.",
    mixinStandardHelpOptions = true)
final class DemoCommand implements Callable<Integer> {
  /** Set by the launcher, which can ask whether stdout is a terminal. */
  private static final String TERMINAL = "everwatch.terminal";

  @Spec private CommandSpec spec = CommandSpec.create();
  @Mixin private ModelOptions model = new ModelOptions();

  @Option(
      names = "--cameras",
      paramLabel = "N",
      defaultValue = "4",
      description = "Cameras at one chunk a second (default: ${DEFAULT-VALUE}).")
  private int cameras;

  @Option(
      names = "--duration",
      paramLabel = "TIME",
      converter = DurationConverter.class,
      description = "Stop after, such as 20s or 5min (default: at Ctrl-C).")
  private @Nullable Duration duration;

  @Option(
      names = "--checkpoint-interval",
      paramLabel = "TIME",
      converter = DurationConverter.class,
      defaultValue = "1s",
      description =
          "Time between checkpoints; committed text waits for the next (default: ${DEFAULT-VALUE}).")
  private Duration checkpointInterval = Duration.ofSeconds(1);

  @Option(
      names = "--headless",
      description = "Every event as a plain line, silence too; no colours, no status line.")
  private boolean headless;

  @Option(
      names = "--json",
      description = "One event per line as JSON with its lagMillis, at the end one summary line.")
  private boolean json;

  @Option(
      names = "--seed",
      paramLabel = "N",
      defaultValue = "1",
      description = "Seed of the first camera's road (default: ${DEFAULT-VALUE}).")
  private long seed;

  @Option(
      names = "--ui",
      paramLabel = "PORT",
      converter = PortConverter.class,
      defaultValue = "0",
      description = "Port for Flink's web interface (default: none).")
  private int uiPort;

  @Option(
      names = "--wall-port",
      paramLabel = "PORT",
      converter = PortConverter.class,
      defaultValue = "" + ServeCommand.PORT,
      description =
          "Port of the live wall on localhost, any free one if it is taken (default: ${DEFAULT-VALUE}).")
  private int wallPort;

  @Option(names = "--no-wall", description = "Serve no live wall.")
  private boolean noWall;

  @Override
  public Integer call() throws Exception {
    DemoOptions options = options();
    DemoOutput output = output();
    DemoSummary summary;
    boolean wished;
    try (StopSignal stop = new StopSignal();
        TemporaryDirectory dir = new TemporaryDirectory("everwatch-demo")) {
      PrintWriter out = spec.commandLine().getOut();
      // Nobody reads on, as in 'demo --json | head': the same as Ctrl-C.
      summary =
          new Demo(options, output, () -> stop.requested() || out.checkError()).run(dir.path());
      output.summary(summary);
      wished = stop.requested();
    }
    if (summary.events() == 0 && !wished) {
      throw new CliException(
          "no text came from %d camera(s) in that time; run longer, or look for the cause with --debug"
              .formatted(cameras));
    }
    return ExitCodes.OK;
  }

  private DemoOptions options() throws IOException {
    Map<String, String> settings = new LinkedHashMap<>(model.settings());
    settings.put(ConfigKeys.CHECKPOINT_INTERVAL.name(), checkpointInterval.toMillis() + " ms");
    try {
      return new DemoOptions(
          cameras,
          Optional.ofNullable(duration),
          seed,
          settings,
          uiPort,
          noWall ? Optional.empty() : Optional.of(wallPort),
          Version.number());
    } catch (IllegalArgumentException e) {
      throw new ParameterException(spec.commandLine(), e.getMessage(), e);
    }
  }

  private DemoOutput output() {
    if (json) {
      return new DemoJson(spec.commandLine().getOut(), spec.commandLine().getErr());
    }
    boolean plain = headless || !Boolean.getBoolean(TERMINAL);
    return new DemoTerminal(spec.commandLine().getOut(), spec.commandLine().getErr(), plain);
  }
}

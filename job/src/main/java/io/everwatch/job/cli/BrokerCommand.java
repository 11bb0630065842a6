// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.cli;

import io.everwatch.job.broker.EmbeddedBroker;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code everwatch broker}: one Kafka broker, for trying things on one machine. */
@Command(
    name = "broker",
    description =
        "Run one Kafka broker on this machine until Ctrl-C, for trials; not for production.",
    mixinStandardHelpOptions = true)
final class BrokerCommand implements Callable<Integer> {
  private static final Duration LONG = Duration.ofDays(1);

  @Spec private CommandSpec spec = CommandSpec.create();

  @Option(
      names = "--dir",
      required = true,
      paramLabel = "DIR",
      description = "Where its records lie; opened again, they are there again.")
  private Path dir = Path.of(".");

  @Option(
      names = "--port",
      paramLabel = "PORT",
      converter = PortConverter.class,
      defaultValue = "9092",
      description = "Port on localhost (default: ${DEFAULT-VALUE}).")
  private int port;

  @Override
  public Integer call() throws Exception {
    if (port == 0) {
      throw new ParameterException(spec.commandLine(), "--port 0; expected 1 to 65535");
    }
    PrintWriter out = spec.commandLine().getOut();
    try (StopSignal stop = new StopSignal();
        EmbeddedBroker broker = EmbeddedBroker.start(dir.toAbsolutePath(), port)) {
      out.println("broker at " + broker.address());
      out.flush();
      while (!stop.await(LONG)) {
        // Until somebody wants it to end.
      }
    }
    return ExitCodes.OK;
  }
}

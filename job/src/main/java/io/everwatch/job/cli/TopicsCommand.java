// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.cli;

import io.everwatch.job.broker.TopicLimits;
import io.everwatch.job.broker.Topics;
import io.everwatch.job.config.Parsers;
import java.io.PrintWriter;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code everwatch topics}: creates what a job needs on a broker. */
@Command(
    name = "topics",
    description = "Create the topics of a job, with their limits; existing ones are left alone.",
    mixinStandardHelpOptions = true)
final class TopicsCommand implements Callable<Integer> {
  @Spec private CommandSpec spec = CommandSpec.create();
  @Mixin private BrokerOptions brokers = new BrokerOptions();
  @Mixin private TopicOptions topics = new TopicOptions();

  @Option(
      names = "--partitions",
      defaultValue = "8",
      paramLabel = "N",
      description =
          "Partitions of frames and text; a stream lives in one (default: ${DEFAULT-VALUE}).")
  private int partitions;

  @Option(
      names = "--replication",
      defaultValue = "1",
      paramLabel = "N",
      description = "Copies of each record (default: ${DEFAULT-VALUE}).")
  private int replication;

  @Option(
      names = "--max-frame",
      defaultValue = "8 MiB",
      paramLabel = "SIZE",
      description = "Largest frame record (default: ${DEFAULT-VALUE}).")
  private String maxFrame = "";

  @Override
  public Integer call() {
    TopicLimits limits = limits();
    brokers.requireReachable();
    PrintWriter out = spec.commandLine().getOut();
    boolean fit = true;
    for (Topics.Outcome topic : Topics.create(brokers.clientProperties(), topics.names(), limits)) {
      out.println(
          "%-12s %s, %d partition%s"
              .formatted(
                  topic.topic(),
                  topic.created() ? "created" : "was there",
                  topic.partitions(),
                  topic.partitions() == 1 ? "" : "s"));
      if (!topic.warning().isEmpty()) {
        fit = false;
        spec.commandLine()
            .getErr()
            .println("everwatch: topic " + topic.topic() + " " + topic.warning());
      }
    }
    return fit ? ExitCodes.OK : ExitCodes.FAILURE;
  }

  private TopicLimits limits() {
    try {
      return TopicLimits.of(partitions)
          .withReplication(replication)
          .withMaxFrameBytes((int) Math.min(Parsers.size(maxFrame), Integer.MAX_VALUE));
    } catch (IllegalArgumentException e) {
      throw new ParameterException(spec.commandLine(), e.getMessage(), e);
    }
  }
}

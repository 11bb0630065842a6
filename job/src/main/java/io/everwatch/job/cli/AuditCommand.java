// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.cli;

import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.everwatch.job.audit.AuditOptions;
import io.everwatch.job.audit.AuditReport;
import io.everwatch.job.audit.TopicAudit;
import io.everwatch.job.audit.TopicAudit.MissingTopicException;
import java.io.PrintWriter;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code everwatch audit}: whether a text topic keeps what the job promises. */
@Command(
    name = "audit",
    description =
        "Check a whole text topic: every chunk explained once, in order, every frame accounted for."
            + " Exit code 1 when something is not.",
    mixinStandardHelpOptions = true)
final class AuditCommand implements Callable<Integer> {
  @Spec private CommandSpec spec = CommandSpec.create();
  @Mixin private BrokerOptions brokers = new BrokerOptions();
  @Mixin private TopicOptions topics = new TopicOptions();
  @Mixin private StreamOptions streams = new StreamOptions();

  @Option(
      names = "--frames",
      description = "Also read the frames topic, as far as it is kept, and count its records.")
  private boolean frames;

  @Option(
      names = "--at-least-once",
      description =
          "The job's delivery is at-least-once: an event may be repeated with the same bytes.")
  private boolean atLeastOnce;

  @Option(
      names = "--json",
      description = "One JSON object per violation, and {\"summary\": …} at the end.")
  private boolean json;

  private final JsonMapper mapper = new JsonMapper();

  @Override
  public Integer call() {
    brokers.requireReachable();
    PrintWriter out = spec.commandLine().getOut();
    AuditOptions options =
        new AuditOptions(
            brokers.clientProperties(),
            topics.names(),
            streams.streams(),
            frames,
            atLeastOnce,
            brokers.connectTimeout());
    AuditReport report;
    try {
      report =
          TopicAudit.run(
              options,
              violation -> {
                out.println(json ? mapper.valueToTree(violation).toString() : violation.line());
                out.flush();
              });
    } catch (MissingTopicException e) {
      throw new CliException(String.valueOf(e.getMessage()), e);
    }
    summarise(report, out);
    out.flush();
    return report.clean() ? ExitCodes.OK : ExitCodes.FAILURE;
  }

  private void summarise(AuditReport report, PrintWriter out) {
    if (json) {
      ObjectNode node = JsonNodeFactory.instance.objectNode();
      node.set("summary", mapper.valueToTree(report));
      out.println(node);
      return;
    }
    AuditReport.Chunks chunks = report.chunks();
    AuditReport.Counts counts = report.counts();
    line(
        out,
        "text: %,d streams, %,d committed events, %,d live ones; chunks: %,d answered, %,d in gaps,"
            + " %,d unexplained",
        report.streams(),
        report.committedEvents(),
        report.liveEvents(),
        chunks.answered(),
        chunks.inGaps(),
        chunks.unexplained());
    line(
        out,
        "counts: %,d received = %,d used + %,d surplus + %,d duplicate + %,d unusable + %,d skipped;"
            + " %,d grid points without a frame",
        counts.received(),
        counts.used(),
        counts.surplus(),
        counts.duplicate(),
        counts.unusable(),
        counts.skipped(),
        counts.missing());
    AuditReport.DeadLetters letters = report.deadLetters();
    line(
        out,
        "dead letters: %,d unusable pictures, %,d refused records%s",
        letters.unusable(),
        letters.refused(),
        letters.whole() ? "" : " (not all are kept: only a surplus was looked for)");
    if (frames) {
      AuditReport.Frames found = report.frames();
      line(
          out,
          "frames: %,d found, %,d of them pending, in %,d stream lives; %,d lives are not wholly"
              + " kept and were not compared; %,d further records",
          found.found(),
          found.pending(),
          found.comparedLives(),
          found.otherLives(),
          found.waiting());
    }
    line(out, report.clean() ? "clean" : "%,d violations", report.violations());
  }

  private static void line(PrintWriter out, String format, Object... values) {
    out.println(String.format(Locale.ROOT, format, values));
  }
}

// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.cli;

import io.everwatch.job.captions.CaptionClock;
import io.everwatch.job.captions.CaptionFormat;
import io.everwatch.job.captions.CaptionWriter;
import io.everwatch.schemas.ReceivedText;
import io.everwatch.schemas.TextEventReader;
import io.everwatch.schemas.TextReaderOptions;
import io.everwatch.schemas.TextReaderOptions.FromBeginning;
import io.everwatch.schemas.TextReaderOptions.FromEnd;
import io.everwatch.schemas.TextReaderOptions.Reading;
import io.everwatch.schemas.avro.TextKind;
import java.io.PrintWriter;
import java.time.Duration;
import java.time.ZoneId;
import java.util.HashSet;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code everwatch watch}: what is being said, live or committed. */
@Command(
    name = "watch",
    description = "Show the text of a running job, as it is said or once it is committed.",
    mixinStandardHelpOptions = true)
final class WatchCommand implements Callable<Integer> {
  private static final Duration POLL = Duration.ofSeconds(1);

  @Spec private CommandSpec spec = CommandSpec.create();
  @Mixin private BrokerOptions brokers = new BrokerOptions();
  @Mixin private TopicOptions topics = new TopicOptions();
  @Mixin private StreamOptions selection = new StreamOptions();

  @Option(
      names = "--committed",
      description =
          "Read what is committed: exactly once, up to a checkpoint interval later (default: live).")
  private boolean committed;

  @Option(names = "--from-beginning", description = "Begin with the oldest event that is kept.")
  private boolean fromBeginning;

  @Option(
      names = "--format",
      paramLabel = "FORMAT",
      converter = CaptionFormatConverter.class,
      defaultValue = "text",
      description =
          "text, json, webvtt or srt; the last two need one --stream (default: ${DEFAULT-VALUE}).")
  private CaptionFormat format = CaptionFormat.TEXT;

  @Option(
      names = "--until-ended",
      description = "Stop when every stream given with --stream has ended.")
  private boolean untilEnded;

  @Override
  public Integer call() {
    Set<String> streams = selection.streams();
    if (format.ofOneStream() && streams.size() != 1) {
      throw usage(
          "%s holds one stream; give exactly one --stream, not %d"
              .formatted(format.name().toLowerCase(Locale.ROOT), streams.size()));
    }
    if (untilEnded && streams.isEmpty()) {
      throw usage("--until-ended needs to know which streams; give --stream");
    }
    PrintWriter out = spec.commandLine().getOut();
    CaptionClock clock = CaptionClock.timeOfDay(ZoneId.systemDefault());
    CaptionWriter writer = format.writer(out, clock);
    Restarts restarts = new Restarts();
    Set<String> open = new HashSet<>(streams);
    try (TextEventReader reader = TextEventReader.open(options())) {
      while (!untilEnded || !open.isEmpty()) {
        for (ReceivedText received : reader.poll(POLL)) {
          if (format == CaptionFormat.TEXT) {
            restarts
                .since(received)
                .ifPresent(
                    millis ->
                        out.println(
                            "[the job was started again at %s]"
                                .formatted(clock.show(millis * 1000))));
          }
          writer.write(received.event());
          if (received.event().getKind() == TextKind.ENDED) {
            open.remove(received.event().getStreamId());
          }
        }
        out.flush();
        if (Thread.currentThread().isInterrupted() || out.checkError()) {
          break; // nobody reads on
        }
      }
    }
    return ExitCodes.OK;
  }

  private TextReaderOptions options() {
    return TextReaderOptions.of(brokers.brokers(), topics.names().text())
        .reading(committed ? Reading.COMMITTED : Reading.LIVE)
        .start(fromBeginning ? new FromBeginning() : new FromEnd())
        .streams(selection.streams())
        .timeout(brokers.connectTimeout())
        .client(brokers.properties());
  }

  private ParameterException usage(String message) {
    return new ParameterException(spec.commandLine(), message);
  }
}

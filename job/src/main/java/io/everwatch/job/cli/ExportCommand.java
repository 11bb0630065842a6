// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.cli;

import io.everwatch.job.captions.CaptionClock;
import io.everwatch.job.captions.CaptionFormat;
import io.everwatch.job.captions.CaptionTimeline;
import io.everwatch.job.captions.CaptionWriter;
import io.everwatch.job.export.ExportFiles;
import io.everwatch.job.export.ExportOptions;
import io.everwatch.job.export.ExportReport;
import io.everwatch.job.export.Interval;
import io.everwatch.job.export.TextExport;
import io.everwatch.schemas.avro.TextEvent;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.Locale;
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

/** {@code everwatch export}: what was said in an interval, as files. */
@Command(
    name = "export",
    description =
        "Write what was said of streams in an interval of capture times into files: WebVTT or SubRip"
            + " subtitles, text, or JSON lines.",
    mixinStandardHelpOptions = true,
    sortOptions = false)
final class ExportCommand implements Callable<Integer> {
  @Spec private CommandSpec spec = CommandSpec.create();
  @Mixin private BrokerOptions brokers = new BrokerOptions();
  @Mixin private TopicOptions topics = new TopicOptions();
  @Mixin private StreamOptions selection = new StreamOptions();

  @Option(
      names = "--from",
      paramLabel = "TIME",
      converter = InstantConverter.class,
      description =
          "First capture time, with its zone, such as 2026-11-20T09:00:00Z (default: the oldest kept).")
  private @Nullable Instant from;

  @Option(
      names = "--to",
      paramLabel = "TIME",
      converter = InstantConverter.class,
      description = "Capture time behind the last (default: the newest).")
  private @Nullable Instant to;

  @Option(
      names = "--format",
      paramLabel = "FORMAT",
      converter = CaptionFormatConverter.class,
      defaultValue = "vtt",
      description = "vtt, srt, json or text (default: ${DEFAULT-VALUE}).")
  private CaptionFormat format = CaptionFormat.WEBVTT;

  @Option(
      names = "--output",
      paramLabel = "FILE|DIR",
      description = {
        "Where to; a file appears when it is whole, in the place of an older one. A folder, or a name",
        "with a / at its end, gets one file per stream; subtitles of several streams need one",
        "(default: standard output)."
      })
  private @Nullable String output;

  @Option(
      names = "--relative",
      description =
          "Times since the stream's first frame, as a recorded clip plays (default: since --from, of"
              + " text the time of the day).")
  private boolean relative;

  @Option(
      names = "--hold",
      paramLabel = "TIME",
      converter = DurationConverter.class,
      defaultValue = "4s",
      description =
          "How long a subtitle may stay after its second, until the next (default:"
              + " ${DEFAULT-VALUE}).")
  private Duration hold = CaptionFormat.HOLD;

  @Option(names = "--live", description = "Also what is not committed yet.")
  private boolean live;

  @Option(
      names = "--margin",
      paramLabel = "TIME",
      converter = DurationConverter.class,
      defaultValue = "1h",
      description =
          "Look among the events that were written from so long before the interval to so long after"
              + " it; further when a stream was behind, or nothing is found (default:"
              + " ${DEFAULT-VALUE}).")
  private Duration margin = Duration.ofHours(1);

  @Override
  public Integer call() throws IOException {
    if (from != null && to != null && !from.isBefore(to)) {
      throw usage("--from %s is not before --to %s".formatted(from, to));
    }
    if (format.ofOneStream() && selection.streams().size() != 1 && !intoFolder()) {
      throw usage(
          "%s holds one stream; give exactly one --stream, or a folder with --output DIR/"
              .formatted(format.name().toLowerCase(Locale.ROOT)));
    }
    brokers.requireReachable();
    PrintWriter err = spec.commandLine().getErr();
    int files = 0;
    ExportReport report;
    try {
      if (output == null) {
        report = toStandardOutput(err);
      } else {
        try (ExportFiles all = files(output)) {
          report = TextExport.run(options(), all::write, err::println);
          files = all.finish();
        }
      }
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
    err.println(
        String.format(
            Locale.ROOT,
            "%,d streams, %,d events%s; %,d records read%s",
            report.streams(),
            report.events(),
            output == null ? "" : ", %,d files".formatted(files),
            report.records(),
            report.unreadable() == 0
                ? ""
                : ", %,d of them no text events".formatted(report.unreadable())));
    return ExitCodes.OK;
  }

  private boolean intoFolder() {
    return output != null && (output.endsWith("/") || Files.isDirectory(Path.of(output)));
  }

  private ExportFiles files(String place) throws IOException {
    return intoFolder()
        ? ExportFiles.folder(Path.of(place), format.extension(), this::writer)
        : ExportFiles.one(Path.of(place), this::writer);
  }

  private ExportReport toStandardOutput(PrintWriter err) {
    PrintWriter out = spec.commandLine().getOut();
    Map<String, CaptionWriter> writers = new HashMap<>();
    ExportReport report =
        TextExport.run(
            options(),
            event ->
                writers
                    .computeIfAbsent(event.getStreamId(), stream -> writer(out, event))
                    .write(event),
            err::println);
    writers.values().forEach(CaptionWriter::finish);
    out.flush();
    return report;
  }

  private CaptionWriter writer(PrintWriter out, TextEvent first) {
    Instant begin = from;
    CaptionTimeline timeline =
        relative
            ? CaptionTimeline.sinceFirstFrame()
            : begin == null
                ? CaptionTimeline.sinceFirstEvent()
                : CaptionTimeline.since(Interval.micros(begin));
    CaptionClock clock =
        relative
            ? CaptionClock.since(
                first.getBeganMicros() == 0 ? first.getStartMicros() : first.getBeganMicros())
            : CaptionClock.instant();
    return format.writer(
        out, clock, to == null ? timeline : timeline.until(Interval.micros(to)), hold);
  }

  private ExportOptions options() {
    return new ExportOptions(
        brokers.clientProperties(),
        topics.names().text(),
        selection.streams(),
        new Interval(Optional.ofNullable(from), Optional.ofNullable(to)),
        !live,
        margin,
        brokers.connectTimeout());
  }

  private ParameterException usage(String message) {
    return new ParameterException(spec.commandLine(), message);
  }
}

// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.cli;

import io.everwatch.job.camera.CameraInput;
import io.everwatch.job.camera.FrameSource;
import io.everwatch.job.captions.CaptionClock;
import io.everwatch.job.captions.CaptionFormat;
import io.everwatch.job.captions.CaptionTimeline;
import io.everwatch.job.captions.CaptionWriter;
import io.everwatch.job.offline.FileCaptioner;
import io.everwatch.job.offline.Recording;
import io.everwatch.job.offline.RecordingQuestion;
import io.everwatch.kernels.DeviceName;
import io.everwatch.operators.engine.Engine;
import io.everwatch.operators.engine.EngineOptions;
import io.everwatch.operators.engine.Engines;
import io.everwatch.operators.model.EncodedFrame.Encoding;
import io.everwatch.operators.model.StreamSettings;
import io.everwatch.schemas.avro.TextEvent;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** The engine on a file, without Kafka and Flink. */
@Command(
    name = "caption",
    description =
        "Caption a video file or a folder of pictures, second by second; or answer a question.",
    mixinStandardHelpOptions = true,
    sortOptions = false)
final class CaptionCommand implements Callable<Integer> {
  private static final long PROGRESS_NANOS = 5_000_000_000L;

  /** A piece of an hour's prefill may take minutes on a CPU that others use, too. */
  private static final Duration LONGEST_STEP = Duration.ofHours(1);

  @Spec private CommandSpec spec = CommandSpec.create();

  @Parameters(
      paramLabel = "FILE|DIR",
      description = {
        "A video (H.264 in MP4 and others), or a folder of PNG and JPEG files, which are taken in",
        "the order of their names."
      })
  private String input = "";

  @Mixin private ModelOptions model = new ModelOptions();

  @Option(
      names = "--fps",
      paramLabel = "N",
      description =
          "Of a folder: its frame rate (default: the model's). Of a video: take at most N a second."
              + " With --ask: look at N a second.")
  private @Nullable Double fps;

  @Option(
      names = "--instruction",
      paramLabel = "TEXT",
      description = "What to tell the model at the beginning (default: the model's own).")
  private @Nullable String instruction;

  @Option(
      names = "--format",
      paramLabel = "FORMAT",
      converter = CaptionFormatConverter.class,
      defaultValue = "text",
      description = "text, json, webvtt or srt (default: ${DEFAULT-VALUE}).")
  private CaptionFormat format = CaptionFormat.TEXT;

  @Option(
      names = "--seed",
      paramLabel = "N",
      description = "Seed of sampling; without effect on a model that is greedy.")
  private @Nullable Long seed;

  @ArgGroup(exclusive = false)
  private @Nullable AskOptions ask;

  private long lastProgress;

  @Override
  public Integer call() throws IOException, InterruptedException {
    if (!(ask != null && isScene()) && !Files.exists(path())) {
      throw new CliException(
          "there is no file or folder '%s'; expected a video file or a folder of pictures"
              .formatted(input));
    }
    return ask == null ? caption() : answer(ask);
  }

  private int caption() throws IOException, InterruptedException {
    PrintWriter err = spec.commandLine().getErr();
    try (Engine engine = Engines.open(model.engineOptions());
        FrameSource source = open(engine.settings())) {
      PrintWriter out = spec.commandLine().getOut();
      CaptionWriter writer =
          format.writer(
              out, CaptionClock.since(0), CaptionTimeline.sinceFirstFrame(), CaptionFormat.HOLD);
      FileCaptioner.Summary summary =
          new FileCaptioner(engine)
              .caption(
                  String.valueOf(path().getFileName()),
                  source,
                  settings(engine.settings()),
                  event -> {
                    writer.write(event);
                    if (out.checkError()) { // flushes, too
                      throw new NobodyReadsException();
                    }
                    progress(event, err);
                  },
                  problem -> err.println("everwatch: " + problem));
      writer.finish();
      out.flush();
      err.println(
          "%d frames, %d chunks, %d gaps, %d problems"
              .formatted(summary.frames(), summary.chunks(), summary.gaps(), summary.problems()));
    } catch (NobodyReadsException e) {
      return ExitCodes.OK; // as in 'caption clip.mp4 | head': all that was wanted is said
    }
    return ExitCodes.OK;
  }

  private int answer(AskOptions asked) throws IOException, InterruptedException {
    asked.contradiction().ifPresent(this::usage);
    if (format.ofOneStream()) {
      usage("--ask has one answer and no times; expected --format text or json");
    }
    if (isScene() && !asked.hasEnd()) {
      usage("a scene never ends; expected --to with --ask, such as --to '2 min'");
    }
    PrintWriter out = spec.commandLine().getOut();
    AskReport report = new AskReport(out, spec.commandLine().getErr());
    long start = System.nanoTime();
    try (Engine engine = Engines.open(remembersAll())) {
      StreamSettings settings = settings(engine.settings());
      RecordingQuestion.Answer answer =
          new RecordingQuestion(engine, report)
              .ask(
                  new Recording(() -> openWhole(settings), asked.from(), asked.to()),
                  settings,
                  asked.question(),
                  asked.sink(),
                  asked.window());
      report.answered(asked.question(), answer, (System.nanoTime() - start) / 1e9, format);
    }
    return ExitCodes.OK;
  }

  /** Rows of the CPU are made when they are first used: half the heap is a bound, not a need. */
  private EngineOptions remembersAll() {
    EngineOptions options = model.engineOptions();
    Map<String, String> settings = new LinkedHashMap<>(options.overrides());
    settings.putAll(RecordingQuestion.settings(Optional.ofNullable(fps)));
    EngineOptions.Builder builder =
        options.toBuilder().overrides(settings).stepTimeout(LONGEST_STEP);
    if (options.device().equals(DeviceName.CPU)) {
      builder.kvBytes(Runtime.getRuntime().maxMemory() / 2);
    }
    return builder.build();
  }

  private FrameSource openWhole(StreamSettings settings) throws IOException {
    boolean folder = !isScene() && Files.isDirectory(path());
    return open(
        new CameraInput(
            input,
            folder && fps != null ? OptionalDouble.of(fps) : OptionalDouble.empty(),
            folder ? Optional.empty() : Optional.of(Encoding.RGB24),
            settings.fps()));
  }

  private boolean isScene() {
    return input.startsWith(CameraInput.SCENE);
  }

  private void usage(String message) {
    throw new ParameterException(spec.commandLine(), message);
  }

  /** Ends a caption whose reader is gone. */
  private static final class NobodyReadsException extends RuntimeException {
    private static final long serialVersionUID = 1;
  }

  private Path path() {
    return Path.of(input);
  }

  private FrameSource open(StreamSettings settings) throws IOException {
    boolean folder = Files.isDirectory(path());
    return open(
        new CameraInput(
            input,
            fps == null ? OptionalDouble.empty() : OptionalDouble.of(fps),
            folder ? Optional.empty() : Optional.of(Encoding.RGB24),
            settings.fps()));
  }

  private FrameSource open(CameraInput wanted) throws IOException {
    try {
      return wanted.open();
    } catch (IllegalArgumentException e) {
      throw new ParameterException(spec.commandLine(), String.valueOf(e.getMessage()), e);
    }
  }

  private StreamSettings settings(StreamSettings settings) {
    StreamSettings chosen = instruction == null ? settings : settings.withInstruction(instruction);
    return seed == null ? chosen : chosen.withSeed(seed);
  }

  private void progress(TextEvent event, PrintWriter err) {
    long now = System.nanoTime();
    if (lastProgress == 0) {
      lastProgress = now;
    } else if (now - lastProgress >= PROGRESS_NANOS) {
      lastProgress = now;
      err.println("captioned up to " + CaptionClock.elapsed(event.getEndMicros()));
      err.flush();
    }
  }
}

// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.cli;

import io.everwatch.job.broker.TopicNames;
import io.everwatch.job.camera.CameraInput;
import io.everwatch.job.camera.FramePublisher;
import io.everwatch.job.camera.FramePublisher.Published;
import io.everwatch.job.camera.FrameSource;
import io.everwatch.job.camera.LimitedSource;
import io.everwatch.job.camera.Pace;
import io.everwatch.operators.model.EncodedFrame.Encoding;
import java.io.IOException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Locale;
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
import picocli.CommandLine.Spec;

/** Plays a file, a folder or a scene onto the frames topic. */
@Command(
    name = "camera",
    description = "Send frames to Kafka: a video file, a folder of pictures, or a synthetic scene.",
    mixinStandardHelpOptions = true,
    sortOptions = false)
public final class CameraCommand implements Callable<Integer> {
  private static final double FOLDER_FPS = 2;

  /** Any later one is a slip of the pen, and far on its microseconds leave a long. */
  private static final Instant LATEST_START = Instant.parse("2999-12-31T00:00:00Z");

  /** What may be sent; raw pictures are too large for a topic. */
  enum SentEncoding {
    PNG,
    JPEG
  }

  /** How fast. */
  static final class Speed {
    @Option(names = "--realtime", description = "As a live camera (the default).")
    private boolean realtime;

    @Option(names = "--fast", description = "As fast as the broker takes them.")
    private boolean fast;
  }

  @Spec private CommandSpec spec = CommandSpec.create();

  @Option(
      names = "--input",
      required = true,
      paramLabel = "FILE|DIR|SCENE",
      description = {
        "A video (H.264 in MP4 and others), a folder of PNG and JPEG files in the order of their",
        "names, scene:road[?seed=N&density=X&count=cars|buses|bikes], or scene:door[?seed=N&density=X",
        "&count=bags|parcels&size=WxH&fps=N&conditions=dusk|night+post|tree+shake+noise]."
      })
  private String input = "";

  @Option(names = "--stream", required = true, paramLabel = "ID", description = "The stream's ID.")
  private String stream = "";

  @Mixin private BrokerOptions broker = new BrokerOptions();

  @Option(
      names = "--frames-topic",
      paramLabel = "NAME",
      defaultValue = TopicNames.FRAMES,
      description = "Topic of frames (default: ${DEFAULT-VALUE}).")
  private String topic = TopicNames.FRAMES;

  @Option(
      names = "--fps",
      paramLabel = "N",
      description =
          "Of a video: send at most N frames a second. Of a folder: its rate (default 2).")
  private @Nullable Double fps;

  @ArgGroup(exclusive = true)
  private @Nullable Speed speed;

  @Option(
      names = "--encoding",
      paramLabel = "png|jpeg",
      description = "How frames are packed (default: scenes png, videos jpeg).")
  private @Nullable SentEncoding encoding;

  @Option(
      names = "--duration",
      paramLabel = "T",
      converter = DurationConverter.class,
      description = "End after so much of the source's time, such as 90s or 5min.")
  private @Nullable Duration duration;

  @Option(
      names = "--start",
      paramLabel = "INSTANT",
      description = "Capture time of the first frame, such as 2026-01-01T00:00:00Z (default: now).")
  private @Nullable Instant start;

  @Override
  public Integer call() throws IOException, InterruptedException {
    CameraInput wanted =
        new CameraInput(
            input,
            fps == null ? OptionalDouble.empty() : OptionalDouble.of(fps),
            Optional.ofNullable(encoding).map(it -> Encoding.valueOf(it.name())),
            FOLDER_FPS);
    if (stream.isBlank()) {
      throw new ParameterException(
          spec.commandLine(), "--stream is blank; give the stream a name, such as door");
    }
    long begin = startMicros();
    try (FrameSource source = open(wanted)) {
      broker.requireReachable();
      try (FramePublisher publisher = new FramePublisher(broker.clientProperties(), topic)) {
        report(publisher.publish(stream, limited(source), begin, pace()));
      }
    }
    return ExitCodes.OK;
  }

  private FrameSource open(CameraInput wanted) throws IOException {
    try {
      return wanted.open();
    } catch (IllegalArgumentException e) {
      throw new ParameterException(spec.commandLine(), String.valueOf(e.getMessage()), e);
    }
  }

  private FrameSource limited(FrameSource source) {
    return duration == null ? source : new LimitedSource(source, duration);
  }

  private Pace pace() {
    boolean live = speed == null || speed.realtime || !speed.fast;
    return live ? Pace.realtime() : Pace.fast();
  }

  private long startMicros() {
    if (start == null) {
      return Pace.micros(Clock.systemUTC());
    }
    if (start.isBefore(Instant.EPOCH) || start.isAfter(LATEST_START)) {
      throw new ParameterException(
          spec.commandLine(),
          "--start %s; expected %s to %s".formatted(start, Instant.EPOCH, LATEST_START));
    }
    return ChronoUnit.MICROS.between(Instant.EPOCH, start);
  }

  private void report(Published published) {
    spec.commandLine()
        .getErr()
        .println(
            String.format(
                Locale.ROOT,
                "stream %s: %d frames, %.1f MB on topic %s, and its end",
                stream,
                published.frames(),
                published.bytes() / 1e6,
                topic));
  }
}

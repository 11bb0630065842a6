// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.cli;

import io.everwatch.job.broker.TopicNames;
import io.everwatch.job.camera.CameraFile;
import io.everwatch.job.camera.CameraFleet;
import io.everwatch.job.camera.CameraFleet.Play;
import io.everwatch.job.camera.CameraKeys;
import io.everwatch.job.camera.CameraMeter;
import io.everwatch.job.camera.CameraMeter.State;
import io.everwatch.job.camera.CameraReport;
import io.everwatch.job.camera.CameraSettings;
import io.everwatch.job.camera.FrameTopic;
import io.everwatch.job.camera.MetricsEndpoint;
import io.everwatch.job.camera.Pace;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code everwatch camera}: live cameras, files, folders and scenes onto the frames topic. */
@Command(
    name = "camera",
    description =
        "Send frames to Kafka: live cameras, a video file, a folder of pictures, or a synthetic scene;"
            + " docs/cameras.md.",
    mixinStandardHelpOptions = true,
    sortOptions = false)
public final class CameraCommand implements Callable<Integer> {
  private static final Duration LOOK = Duration.ofMillis(250);

  /** What the producer may take at the end, after what the cameras took. */
  private static final Duration LAST_WORDS = Duration.ofSeconds(5);

  /** Any later one is a slip of the pen, and far on its microseconds leave a long. */
  private static final Instant LATEST_START = Instant.parse("2999-12-31T00:00:00Z");

  /** How fast. */
  static final class Speed {
    @Option(names = "--realtime", description = "What is played: as a live camera (the default).")
    private boolean realtime;

    @Option(names = "--fast", description = "What is played: as fast as the broker takes it.")
    private boolean fast;
  }

  @Spec private CommandSpec spec = CommandSpec.create();
  @Mixin private CameraOptions camera = new CameraOptions();

  @Option(
      names = "--config",
      paramLabel = "FILE",
      description = "Many cameras from a YAML file, instead of --input and what goes with it.")
  private @Nullable Path config;

  @Mixin private BrokerOptions broker = new BrokerOptions();

  @Option(
      names = "--frames-topic",
      paramLabel = "NAME",
      defaultValue = TopicNames.FRAMES,
      description = "Topic of frames (default: ${DEFAULT-VALUE}).")
  private String topic = TopicNames.FRAMES;

  @ArgGroup(exclusive = true)
  private @Nullable Speed speed;

  @Option(
      names = "--start",
      paramLabel = "INSTANT",
      description =
          "What is played: capture time of the first frame, such as 2026-01-01T00:00:00Z (default: now).")
  private @Nullable Instant start;

  @Option(
      names = "--status",
      paramLabel = "T",
      converter = DurationConverter.class,
      defaultValue = "1min",
      description = "How often to say how live cameras are doing (default: ${DEFAULT-VALUE}).")
  private Duration status = Duration.ofMinutes(1);

  @Option(names = "--json", description = "Say it as JSON on standard output, a line per camera.")
  private boolean json;

  @Option(
      names = "--metrics-port",
      paramLabel = "PORT",
      converter = PortConverter.class,
      description = "Say it to Prometheus at http://localhost:PORT/metrics as well; 0 = any port.")
  private @Nullable Integer metricsPort;

  @Override
  public Integer call() throws IOException, InterruptedException {
    List<CameraSettings> cameras = cameras();
    Play play = new Play(startMicros(), speed == null || speed.realtime);
    refusePlayedOptions(cameras);
    try (CameraFleet fleet = open(cameras)) {
      broker.requireReachable();
      FrameTopic frames = new FrameTopic(broker.clientProperties(), topic, cameras.size());
      try (StopSignal stop = new StopSignal(ExitCodes.OK)) {
        try {
          fleet.start(frames, play, this::say);
          await(fleet, stop);
        } finally {
          frames.close(LAST_WORDS);
        }
        List<String> failures = report(fleet.meters());
        if (failures.isEmpty()) {
          return ExitCodes.OK;
        }
        if (!stop.requested()) {
          throw new CliException(String.join("; ", failures));
        }
        failures.forEach(this::say);
        stop.endWith(ExitCodes.FAILURE);
        return ExitCodes.FAILURE;
      }
    }
  }

  private List<CameraSettings> cameras() throws IOException {
    if (config != null) {
      if (!camera.given().isEmpty()) {
        throw usage(
            "%s and --config; what is said of each camera belongs into the file"
                .formatted(camera.given().values().iterator().next().where()));
      }
      return CameraFile.read(config, System::getenv);
    }
    List<String> problems = new ArrayList<>();
    Optional<CameraSettings> one = CameraKeys.read(camera.given(), Map.of(), "", problems);
    return List.of(
        one.orElseThrow(
            () ->
                usage(
                    problems.stream()
                        .map(
                            problem ->
                                problem.matches("\\w+ is missing") ? "--" + problem : problem)
                        .collect(Collectors.joining("; ")))));
  }

  private void refusePlayedOptions(List<CameraSettings> cameras) {
    boolean live = cameras.stream().allMatch(settings -> settings.address().isPresent());
    if (live && (start != null || (speed != null && speed.fast))) {
      throw usage("--start and --fast are for what is played; a live camera has its own time");
    }
  }

  private CameraFleet open(List<CameraSettings> cameras) throws IOException {
    try {
      return new CameraFleet(cameras);
    } catch (IllegalArgumentException e) {
      throw usage(String.valueOf(e.getMessage()));
    }
  }

  private void await(CameraFleet fleet, StopSignal stop) throws IOException, InterruptedException {
    CameraReport report = new CameraReport(fleet.meters());
    try (MetricsEndpoint endpoint =
        metricsPort == null ? null : new MetricsEndpoint(metricsPort, report::prometheus)) {
      if (endpoint != null) {
        say("metrics: http://localhost:%d/metrics".formatted(endpoint.port()));
      }
      long next = System.nanoTime() + status.toNanos();
      while (!fleet.awaitEnd(LOOK)) {
        if (stop.requested()) {
          fleet.stop();
        }
        if (System.nanoTime() - next > 0) {
          tell(report);
          next += status.toNanos();
        }
      }
    }
    if (json) {
      tell(report);
    }
  }

  private void tell(CameraReport report) {
    if (json) {
      PrintWriter out = spec.commandLine().getOut();
      report.json().forEach(out::println);
      out.flush();
    } else {
      say(report.line());
    }
  }

  /** Says what was sent; returns why cameras failed. */
  private List<String> report(List<CameraMeter> cameras) {
    List<String> failures = new ArrayList<>();
    for (CameraMeter meter : cameras) {
      if (meter.state() == State.FAILED) {
        String why = meter.failure().orElse("");
        failures.add(cameras.size() == 1 ? why : "stream %s: %s".formatted(meter.stream(), why));
        continue;
      }
      PrintWriter err = spec.commandLine().getErr();
      err.println(
          String.format(
              Locale.ROOT,
              "stream %s: %d frames, %.1f MB on topic %s%s",
              meter.stream(),
              meter.sent(),
              meter.bytes() / 1e6,
              topic,
              meter.sent() > 0 ? ", and its end" : ""));
      err.flush();
    }
    return failures;
  }

  private synchronized void say(String news) {
    PrintWriter err = spec.commandLine().getErr();
    err.println("everwatch: " + news);
    err.flush();
  }

  private long startMicros() {
    if (start == null) {
      return Pace.micros(Clock.systemUTC());
    }
    if (start.isBefore(Instant.EPOCH) || start.isAfter(LATEST_START)) {
      throw usage("--start %s; expected %s to %s".formatted(start, Instant.EPOCH, LATEST_START));
    }
    return ChronoUnit.MICROS.between(Instant.EPOCH, start);
  }

  private ParameterException usage(String message) {
    return new ParameterException(spec.commandLine(), message);
  }
}

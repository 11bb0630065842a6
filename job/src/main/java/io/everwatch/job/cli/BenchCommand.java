// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.cli;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.everwatch.job.camera.CameraFrame;
import io.everwatch.job.camera.CameraInput;
import io.everwatch.job.camera.FrameSource;
import io.everwatch.job.camera.LimitedSource;
import io.everwatch.job.camera.RoadSceneSource;
import io.everwatch.job.offline.ProcessFigures;
import io.everwatch.job.offline.SpeedTest;
import io.everwatch.job.scene.RoadScene;
import io.everwatch.operators.engine.Engine;
import io.everwatch.operators.engine.EngineMetrics.Stages;
import io.everwatch.operators.engine.EngineOptions;
import io.everwatch.operators.engine.Engines;
import io.everwatch.operators.model.EncodedFrame;
import io.everwatch.operators.model.StreamSettings;
import java.io.IOException;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** How fast the engine is here. */
@Command(
    name = "bench",
    description = {
      "Measure the engine without Kafka and Flink.",
      "Counts the chunks per second of streams that never wait, once their memory is full."
    },
    mixinStandardHelpOptions = true,
    sortOptions = false)
final class BenchCommand implements Callable<Integer> {
  /** Seconds of each road, played again and again. */
  private static final Duration LOOP = Duration.ofSeconds(64);

  /** Rounds in which compiling takes a tenth of the processor's time and more (2026-11-20). */
  private static final long COMPILED = 2000;

  @Spec private CommandSpec spec = CommandSpec.create();

  @Mixin private ModelOptions model = new ModelOptions();

  @Option(
      names = "--streams",
      paramLabel = "N",
      defaultValue = "1",
      description = "Streams at once (default: ${DEFAULT-VALUE}).")
  private int streams = 1;

  @Option(
      names = "--seconds",
      paramLabel = "T",
      defaultValue = "10",
      description = "For how long is measured, warm-up aside (default: ${DEFAULT-VALUE}).")
  private int seconds = 10;

  @Option(
      names = "--warm-up",
      paramLabel = "ROUNDS",
      description =
          "Rounds of each stream before the clock starts (default: 60, which fill its memory, and so many more that Java has compiled what it runs: 2,000 of all streams).")
  private @Nullable Long warmUp;

  @Option(
      names = "--input",
      paramLabel = "FILE|DIR",
      description = "Frames that every stream plays (default: synthetic roads, one per stream).")
  private @Nullable String input;

  @Option(
      names = "--instruction",
      paramLabel = "TEXT",
      description = "What to tell the model (default: the road's; with --input the model's own).")
  private @Nullable String instruction;

  @Option(names = "--json", description = "One JSON object instead of lines.")
  private boolean json;

  @Override
  public Integer call() throws IOException, InterruptedException {
    requireAtLeastOne("--streams", streams);
    requireAtLeastOne("--seconds", seconds);
    long warmUpRounds = warmUp == null ? Math.max(60, COMPILED / streams) : warmUp;
    requireAtLeastOne("--warm-up", warmUpRounds);
    EngineOptions options = model.engineOptions();
    try (Engine engine = Engines.open(options)) {
      List<SpeedTest.Stream> played = played(engine.settings());
      spec.commandLine()
          .getErr()
          .println(
              "%d streams, %d rounds of warm-up each, then %d s"
                  .formatted(streams, warmUpRounds, seconds));
      SpeedTest.Measured measured =
          new SpeedTest(engine).run(played, warmUpRounds, Duration.ofSeconds(seconds));
      report(figures(measured, options));
    }
    return ExitCodes.OK;
  }

  private void requireAtLeastOne(String option, long value) {
    if (value < 1) {
      throw new ParameterException(
          spec.commandLine(), "%s %d; expected at least 1".formatted(option, value));
    }
  }

  private List<SpeedTest.Stream> played(StreamSettings settings) throws IOException {
    List<SpeedTest.Stream> all = new ArrayList<>();
    if (input != null) {
      CameraInput wanted =
          new CameraInput(input, OptionalDouble.empty(), Optional.empty(), settings.fps());
      List<EncodedFrame> frames = frames(wanted.open());
      SpeedTest.Stream same = stream(settings, frames, settings.instruction());
      for (int i = 0; i < streams; i++) {
        all.add(same);
      }
      return all;
    }
    for (int i = 0; i < streams; i++) {
      RoadSceneSource road = new RoadSceneSource(RoadScene.ofSeed(1000 + i));
      all.add(stream(settings, frames(new LimitedSource(road, LOOP)), road.instruction()));
    }
    return all;
  }

  private SpeedTest.Stream stream(
      StreamSettings settings, List<EncodedFrame> frames, String otherwise) {
    String told = instruction == null ? otherwise : instruction;
    return new SpeedTest.Stream(settings.withInstruction(told), frames);
  }

  private static List<EncodedFrame> frames(FrameSource source) throws IOException {
    List<EncodedFrame> frames = new ArrayList<>();
    try (source) {
      for (Optional<CameraFrame> frame = source.next(); frame.isPresent(); frame = source.next()) {
        frames.add(frame.get().picture());
      }
    }
    return frames;
  }

  private Map<String, Object> figures(SpeedTest.Measured measured, EngineOptions options) {
    Map<String, Object> figures = new LinkedHashMap<>();
    figures.put("model", options.model());
    figures.put("device", options.device().toString());
    figures.put("threads", options.threads());
    figures.put("streams", streams);
    figures.put("seconds", rounded(measured.nanos() / 1e9));
    figures.put("chunks", measured.chunks());
    figures.put("chunksPerSecond", rounded(measured.chunksPerSecond()));
    figures.put("cpuMsPerChunk", rounded(measured.cpuNanos() / 1e6 / measured.chunks()));
    figures.put("tokensPerChunk", rounded((double) measured.tokens() / measured.chunks()));
    figures.put("msPerToken", rounded(measured.millisPerToken()));
    figures.putAll(stages(measured));
    figures.put("latencyMsP50", rounded(measured.latencyMillis(0.5)));
    figures.put("latencyMsP95", rounded(measured.latencyMillis(0.95)));
    figures.put("rowsUsed", measured.after().rowsUsed());
    figures.put("peakResidentMiB", ProcessFigures.peakResidentBytes() >> 20);
    figures.put("peakHeapMiB", ProcessFigures.peakHeapBytes() >> 20);
    return figures;
  }

  private static Map<String, Object> stages(SpeedTest.Measured measured) {
    Stages stages = measured.stages();
    Map<String, Object> perChunk = new LinkedHashMap<>();
    perChunk.put("msFrames", stages.frames());
    perChunk.put("msVision", stages.vision());
    perChunk.put("msLoad", stages.load());
    perChunk.put("msPrefill", stages.prefill());
    perChunk.put("msDecode", stages.decode());
    perChunk.put("msSample", stages.sample());
    perChunk.replaceAll((stage, nanos) -> rounded((long) nanos / 1e6 / measured.chunks()));
    return perChunk;
  }

  private static double rounded(double value) {
    return Math.round(value * 1000) / 1000.0;
  }

  private void report(Map<String, Object> figures) {
    PrintWriter out = spec.commandLine().getOut();
    if (json) {
      ObjectNode node = JsonNodeFactory.instance.objectNode();
      figures.forEach(node::putPOJO);
      out.println(node);
    } else {
      figures.forEach(
          (name, value) -> out.println(String.format(Locale.ROOT, "%-18s %s", name, value)));
    }
    out.flush();
  }
}

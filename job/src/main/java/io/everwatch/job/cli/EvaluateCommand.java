// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.everwatch.job.offline.DeviceComparison;
import io.everwatch.job.offline.RoadEvaluation;
import io.everwatch.job.scene.RoadScene;
import io.everwatch.kernels.BackendOptions;
import io.everwatch.kernels.DType;
import io.everwatch.kernels.DeviceName;
import io.everwatch.operators.engine.Engine;
import io.everwatch.operators.engine.EngineOptions;
import io.everwatch.operators.engine.Engines;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.Writer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The engine against a scene whose truth is known. */
@Command(
    name = "evaluate",
    description = "Score the model against a scene's truth, by tenths of the streams' life.",
    mixinStandardHelpOptions = true,
    sortOptions = false)
final class EvaluateCommand implements Callable<Integer> {
  private static final long PROGRESS_SECONDS = 60;

  @Spec private CommandSpec spec = CommandSpec.create();

  @Option(
      names = "--scene",
      paramLabel = "NAME",
      defaultValue = "road",
      description = "Scene: road (default: ${DEFAULT-VALUE}).")
  private String scene = "road";

  @Option(
      names = "--minutes",
      required = true,
      paramLabel = "T",
      description = "Length of each stream.")
  private long minutes;

  @Option(
      names = "--seed",
      required = true,
      split = ",",
      paramLabel = "S[,S…]",
      description = "Seeds of the scene; several run at once and are scored together.")
  private List<Long> seeds = new ArrayList<>();

  @Option(
      names = "--density",
      paramLabel = "X",
      description = "How busy the road is (default: ${DEFAULT-VALUE}).")
  private double density = RoadScene.DEFAULT_DENSITY;

  @Option(
      names = "--rebuild-every",
      paramLabel = "SECONDS",
      description =
          "Throw each stream's memory away so often, and make it again in one prefill of its past,"
              + " as after a change of the model: what is said then rests on that prefill.")
  private @Nullable Long rebuildEvery;

  @Mixin private ModelOptions model = new ModelOptions();

  @Option(names = "--json", description = "One JSON object instead of a table.")
  private boolean json;

  @Option(
      names = "--transcript",
      paramLabel = "FILE",
      description = "Write truth and sentence of every second there, one JSON object per line.")
  private @Nullable Path transcript;

  @Option(
      names = "--compare-device",
      paramLabel = "NAME",
      converter = DeviceConverter.class,
      description = {
        "Instead of scoring: hold this device against --device, greedy, each turn made to say what",
        "the other said. Exit code 1 when less than 99 %% of turns are equal in bf16, or any but a",
        "near tie differs in f32."
      })
  private @Nullable DeviceName comparedDevice;

  @Option(
      names = "--compare-dtype",
      paramLabel = "TYPE",
      converter = DTypeConverter.class,
      description = "Type in which the compared device computes (default: its own).")
  private @Nullable DType comparedType;

  @Override
  public Integer call() throws IOException, InterruptedException {
    if (!scene.equals("road")) {
      throw usage("there is no scene '%s' with a known truth; known is road".formatted(scene));
    }
    if (minutes < 1 || minutes > 100_000) {
      throw usage("%d minutes; expected 1 to 100000".formatted(minutes));
    }
    if (rebuildEvery != null && (rebuildEvery < 1 || comparedDevice != null)) {
      throw usage(
          "--rebuild-every %d%s; expected at least 1, and no other device to compare with"
              .formatted(rebuildEvery, comparedDevice == null ? "" : " with --compare-device"));
    }
    List<RoadScene> scenes = new ArrayList<>();
    try {
      seeds.stream()
          .distinct()
          .forEach(seed -> scenes.add(new RoadScene(seed, density, Optional.empty())));
    } catch (IllegalArgumentException e) {
      throw usage(String.valueOf(e.getMessage()));
    }
    if (comparedDevice != null) {
      return compare(comparedDevice, scenes);
    }
    try (Engine engine = Engines.open(model.engineOptions());
        PrintWriter lines = transcriptWriter()) {
      long every = rebuildEvery == null ? RoadEvaluation.NO_REBUILDS : rebuildEvery;
      report(new RoadEvaluation(engine, every).run(scenes, minutes * 60, listener(scenes, lines)));
      if (lines.checkError()) {
        throw new CliException("%s could not be written; is the disk full?".formatted(transcript));
      }
    }
    return ExitCodes.OK;
  }

  private int compare(DeviceName compared, List<RoadScene> scenes) {
    EngineOptions options = model.engineOptions();
    BackendOptions first =
        new BackendOptions(
            options.threads(), options.plainProducts(), Optional.ofNullable(options.dtype()), 0);
    BackendOptions second =
        new BackendOptions(options.threads(), false, Optional.ofNullable(comparedType), 0);
    PrintWriter out = spec.commandLine().getOut();
    PrintWriter err = spec.commandLine().getErr();
    boolean well = true;
    try (DeviceComparison comparison =
        new DeviceComparison(
            options.model(), options.device(), first, compared, second, options.overrides())) {
      for (RoadScene road : scenes) {
        DeviceComparison.Outcome outcome =
            comparison.run(
                road,
                minutes * 60,
                seconds -> {
                  if (seconds % PROGRESS_SECONDS == 0) {
                    err.println("minute %d of %d".formatted(seconds / PROGRESS_SECONDS, minutes));
                    err.flush();
                  }
                });
        well &= outcome.asExpected();
        out.println(json(road, outcome));
        out.flush();
      }
    }
    return well ? ExitCodes.OK : ExitCodes.FAILURE;
  }

  private static ObjectNode json(RoadScene road, DeviceComparison.Outcome outcome) {
    return JsonNodeFactory.instance
        .objectNode()
        .put("seed", road.seed())
        .put("turns", outcome.turns())
        .put("equalTurns", outcome.equalTurns())
        .put("nearTies", outcome.nearTies())
        .put("tokens", outcome.tokens())
        .put("otherTokens", outcome.otherTokens())
        .put("widestMargin", outcome.widestMargin())
        .put("logitsRms", outcome.rms())
        .put("reference", outcome.referenceNumerics())
        .put("compared", outcome.otherNumerics())
        .put("asExpected", outcome.asExpected());
  }

  private ParameterException usage(String message) {
    return new ParameterException(spec.commandLine(), message);
  }

  private PrintWriter transcriptWriter() throws IOException {
    return transcript == null
        ? new PrintWriter(Writer.nullWriter())
        : new PrintWriter(Files.newBufferedWriter(transcript));
  }

  private RoadEvaluation.Listener listener(List<RoadScene> scenes, PrintWriter lines) {
    PrintWriter err = spec.commandLine().getErr();
    return (told, second, truth, said) -> {
      if (transcript != null) {
        lines.println(
            JsonNodeFactory.instance
                .objectNode()
                .put("seed", told.seed())
                .put("t", second)
                .put("truth", truth)
                .put("said", said));
      }
      if (told.equals(scenes.get(0)) && second > 0 && second % PROGRESS_SECONDS == 0) {
        err.println("minute %d of %d".formatted(second / PROGRESS_SECONDS, minutes));
        err.flush();
      }
    };
  }

  private void report(RoadEvaluation.Outcome outcome) {
    PrintWriter out = spec.commandLine().getOut();
    if (json) {
      ObjectNode all = JsonNodeFactory.instance.objectNode();
      all.put("scene", scene).put("minutes", minutes).put("density", density);
      ArrayNode which = all.putArray("seeds");
      seeds.stream().distinct().forEach(which::add);
      out.println(all.setAll(RoadReport.json(outcome)));
    } else {
      RoadReport.table(outcome, minutes, out);
    }
    out.flush();
  }
}

// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.cli;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import io.everwatch.job.evaluation.Ablation;
import io.everwatch.job.evaluation.EvaluationReport;
import io.everwatch.job.evaluation.Outcome;
import io.everwatch.job.evaluation.ReportFolder;
import io.everwatch.job.evaluation.Scenes;
import io.everwatch.job.evaluation.Treatment;
import io.everwatch.job.evaluation.TrueCamera;
import io.everwatch.job.offline.SceneEvaluation;
import io.everwatch.job.scene.RoadScene;
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
import java.util.LinkedHashMap;
import java.util.List;
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
      description = "Scene whose truth is known: " + Scenes.KNOWN + " (default: ${DEFAULT-VALUE}).")
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
      description = "How busy the scene is (default: ${DEFAULT-VALUE}).")
  private double density = RoadScene.DEFAULT_DENSITY;

  @Option(
      names = "--rebuild-every",
      paramLabel = "SECONDS",
      description =
          "Throw each stream's memory away so often, and make it again in one prefill of its past,"
              + " as after a change of the model: what is said then rests on that prefill.")
  private @Nullable Long rebuildEvery;

  @Option(
      names = "--rebuild-from-words",
      description = "With --rebuild-every: of the past only the words, none of the pictures.")
  private boolean wordsOnly;

  @Option(
      names = "--ask-every",
      paramLabel = "SECONDS",
      description =
          "Ask a question of the scene so often, in the stream itself: answer and question stay in"
              + " its memory. Seconds with a question count for the answers only.")
  private @Nullable Long askEvery;

  @Option(
      names = "--ablation",
      split = ",",
      paramLabel = "NAME[,NAME…]",
      description = {
        "Treat the memory otherwise, as the paper's baselines and ablations do; one evaluation each:",
        Ablation.KNOWN + "."
      })
  private List<String> ablations = new ArrayList<>();

  @Mixin private ModelOptions model = new ModelOptions();

  @Option(names = "--json", description = "One JSON object instead of a table.")
  private boolean json;

  @Option(
      names = "--report",
      paramLabel = "DIR",
      description = "Write report.md, report.json and pictures into this folder, not yet there.")
  private @Nullable Path reportFolder;

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
    if (minutes < 1 || minutes > 100_000) {
      throw usage("%d minutes; expected 1 to 100000".formatted(minutes));
    }
    if (comparedDevice != null) {
      return compare(comparedDevice);
    }
    if (wordsOnly && rebuildEvery == null) {
      throw usage("--rebuild-from-words without --rebuild-every; expected both");
    }
    List<Ablation> runs = runs();
    cameras();
    Optional<ReportFolder> folder =
        reportFolder == null ? Optional.empty() : Optional.of(new ReportFolder(reportFolder));
    Map<Ablation, Outcome> outcomes = new LinkedHashMap<>();
    Map<String, String> about = about();
    try (PrintWriter lines = transcriptWriter()) {
      for (Ablation run : runs) {
        outcomes.put(run, evaluate(run, about, lines));
        if (lines.checkError()) {
          throw new CliException(
              "%s could not be written; is the disk full?".formatted(transcript));
        }
      }
    }
    EvaluationReport report =
        new EvaluationReport(about, minutes, seeds.stream().distinct().toList(), outcomes);
    if (folder.isPresent()) {
      folder.get().write(report);
    }
    show(report);
    return ExitCodes.OK;
  }

  private Outcome evaluate(Ablation run, Map<String, String> about, PrintWriter lines)
      throws IOException, InterruptedException {
    PrintWriter err = spec.commandLine().getErr();
    if (!ablations.isEmpty()) {
      err.println("%s: %s".formatted(run.name(), run.what()));
    }
    try (Engine engine = Engines.open(options(run))) {
      about.putIfAbsent("model digest", engine.modelDigest());
      about.putIfAbsent("numerics", engine.numericsIdentity());
      return new SceneEvaluation(engine, treatment(run))
          .run(cameras(), minutes * 60, listener(run, lines, err));
    }
  }

  private List<Ablation> runs() {
    if (ablations.isEmpty()) {
      return List.of(Ablation.COMPACT);
    }
    if (rebuildEvery != null) {
      throw usage("--rebuild-every with --ablation; expected one of them");
    }
    try {
      return Ablation.parse(ablations);
    } catch (IllegalArgumentException e) {
      throw usage(String.valueOf(e.getMessage()));
    }
  }

  private Treatment treatment(Ablation run) {
    try {
      Treatment treatment = run.treatment();
      treatment = rebuildEvery == null ? treatment : treatment.withRebuildEvery(rebuildEvery);
      treatment = treatment.withWordsOnly(wordsOnly);
      return askEvery == null ? treatment : treatment.withAskEvery(askEvery);
    } catch (IllegalArgumentException e) {
      throw usage(String.valueOf(e.getMessage()));
    }
  }

  /** Rows of the CPU are made when they are first used: half the heap is a bound, not a need. */
  private EngineOptions options(Ablation run) {
    EngineOptions options = model.engineOptions();
    Map<String, String> settings = new LinkedHashMap<>(options.overrides());
    settings.putAll(run.settings());
    EngineOptions.Builder builder =
        options.toBuilder().overrides(settings).nativePositions(run.nativePositions());
    if (run.endless() && options.device().equals(DeviceName.CPU)) {
      builder.kvBytes(Runtime.getRuntime().maxMemory() / 2);
    }
    return builder.build();
  }

  /** They begin anew each time. */
  private List<TrueCamera> cameras() {
    try {
      return seeds.stream().distinct().map(seed -> Scenes.open(scene, seed, density)).toList();
    } catch (IllegalArgumentException e) {
      throw usage(String.valueOf(e.getMessage()));
    }
  }

  private int compare(DeviceName compared) throws IOException, InterruptedException {
    if (!scene.equals("road") || rebuildEvery != null || !ablations.isEmpty()) {
      throw usage(
          "--compare-device with --scene %s%s%s; expected the road and nothing else"
              .formatted(
                  scene,
                  rebuildEvery == null ? "" : " --rebuild-every",
                  ablations.isEmpty() ? "" : " --ablation"));
    }
    cameras();
    List<RoadScene> roads =
        seeds.stream()
            .distinct()
            .map(seed -> new RoadScene(seed, density, Optional.empty()))
            .toList();
    return new CompareDevices(
                model.engineOptions(), spec.commandLine().getOut(), spec.commandLine().getErr())
            .run(compared, comparedType, roads, minutes)
        ? ExitCodes.OK
        : ExitCodes.FAILURE;
  }

  private Map<String, String> about() throws IOException {
    Map<String, String> about = new LinkedHashMap<>();
    about.put("scene", scene);
    about.put("density", Double.toString(density));
    about.put("model", model.model());
    about.put("device", model.device().toString());
    about.put("version", Version.number());
    about.put(
        "command",
        "everwatch " + String.join(" ", spec.root().commandLine().getParseResult().originalArgs()));
    return about;
  }

  private ParameterException usage(String message) {
    return new ParameterException(spec.commandLine(), message);
  }

  private PrintWriter transcriptWriter() throws IOException {
    return transcript == null
        ? new PrintWriter(Writer.nullWriter())
        : new PrintWriter(Files.newBufferedWriter(transcript));
  }

  private SceneEvaluation.Listener listener(Ablation run, PrintWriter lines, PrintWriter err) {
    return (seed, second, truth, said) -> {
      if (transcript != null) {
        lines.println(
            JsonNodeFactory.instance
                .objectNode()
                .put("run", run.name())
                .put("seed", seed)
                .put("t", second)
                .put("truth", truth)
                .put("said", said));
      }
      if (seed == seeds.get(0) && second > 0 && second % PROGRESS_SECONDS == 0) {
        err.println("minute %d of %d".formatted(second / PROGRESS_SECONDS, minutes));
        err.flush();
      }
    };
  }

  private void show(EvaluationReport report) {
    PrintWriter out = spec.commandLine().getOut();
    if (json) {
      out.println(report.json());
    } else {
      new EvaluationTable(out).print(report);
    }
    out.flush();
  }
}

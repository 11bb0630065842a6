// SPDX-License-Identifier: Apache-2.0
package io.everwatch.benchmarks.gpu;

import io.everwatch.benchmarks.gpu.Shapes.Load;
import io.everwatch.benchmarks.gpu.Shapes.Turn;
import io.everwatch.benchmarks.gpu.Streams.Answer;
import io.everwatch.kernels.DeviceCounters;
import io.everwatch.operators.engine.Engine;
import io.everwatch.operators.engine.EngineMetrics;
import io.everwatch.operators.engine.EngineOptions;
import io.everwatch.operators.engine.Engines;
import io.everwatch.operators.model.ModelConfig;
import io.everwatch.operators.model.ModelFolder;
import io.everwatch.operators.model.TextConfig;
import io.everwatch.operators.model.VisionConfig;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * The whole engine on models of published shapes with made-up weights, from encoded frames to
 * words: one stream alone, many held at their pace, and as many chunks as go through.
 */
final class EnginePart {
  /** One chunk a second. */
  private static final long PERIOD = TimeUnit.SECONDS.toNanos(1);

  /** Of the pictures that a stream plays round and round. */
  private static final int SECONDS_OF_VIDEO = 8;

  /** Of the engine: it makes the batches and waits for the device. */
  private static final String STEP_THREAD = "everwatch-step";

  private final Check check;
  private final Load load;

  EnginePart(Check check) {
    this.check = check;
    this.load = check.shapes().load();
  }

  void run(Ledger ledger) {
    for (String model : load.models()) {
      new DecodePart(check, model).run(ledger);
      ledger.item(alone(model), () -> alone(model, load.alone()));
      ledger.item(held(load, model), () -> held(model, load.many()));
      ledger.item(through(load, model), () -> through(model, load.many()));
    }
  }

  static String alone(String model) {
    return "one stream of " + model;
  }

  static String held(Load load, String model) {
    return "%d streams held of %s".formatted(load.streams(), model);
  }

  static String through(Load load, String model) {
    return "%d streams at once of %s".formatted(load.streams(), model);
  }

  private Engine open(String model, Turn turn) {
    return Engines.open(
        EngineOptions.builder(model)
            .device(check.device())
            .kvBytes(load.kvBytes())
            .overrides(
                Map.of(
                    "max_new_tokens",
                    Integer.toString(turn.answer()),
                    "min_pixels",
                    Long.toString((long) turn.width() * turn.height() / 2),
                    "max_pixels",
                    Long.toString(2L * turn.width() * turn.height())))
            .build());
  }

  private static Streams streams(Engine engine, int count, Turn turn) {
    int frames = SECONDS_OF_VIDEO * engine.settings().framesPerChunk();
    return new Streams(engine, count, Pictures.of(turn.width(), turn.height(), frames));
  }

  /** Last frame in to last token out, and what the report computes its floor from. */
  private Map<String, Object> alone(String model, Turn turn) throws InterruptedException {
    try (Engine engine = open(model, turn);
        Streams streams = streams(engine, 1, turn)) {
      streams.atOnce(load.warmUp());
      EngineMetrics before = engine.metrics();
      List<Answer> answers = streams.atOnce(check.timing().samples());
      EngineMetrics after = engine.metrics();
      Answer last = answers.get(answers.size() - 1);
      ModelConfig config = ModelConfig.read(ModelFolder.open(model));
      Map<String, Object> figures = new LinkedHashMap<>();
      figures.put("latencyMillisP50", millis(answers, 0.5));
      figures.put("latencyMillisP95", millis(answers, 0.95));
      figures.put("tokens", (after.tokens() - before.tokens()) / (double) answers.size());
      figures.put("promptRows", last.result().promptRows());
      figures.put("contextRows", last.result().contextRows());
      figures.put(
          "visionRows", (after.visionTokens() - before.visionTokens()) / (double) answers.size());
      figures.put("weightBytes", DecodePart.weightBytes(config.text(), 2));
      figures.put("rowBytes", 2L * 2 * config.text().numLayers() * config.text().kvSize());
      figures.put("flopPerPromptRow", flopPerRow(config.text()));
      figures.put("flopPerVisionRow", flopPerRow(config.vision()));
      figures.putAll(stages(before, after));
      return figures;
    }
  }

  /** Products only; attention is small beside them. */
  private static double flopPerRow(TextConfig text) {
    long head = (long) text.vocabSize() * text.hiddenSize(); // of the last row only
    return 2.0 * (DecodePart.weightBytes(text, 1) - head);
  }

  /** A row for the decoder is four patches through the tower, and the merger. */
  private static double flopPerRow(VisionConfig vision) {
    long width = vision.hiddenSize();
    long block = 4 * width * width + 3 * width * vision.intermediateSize();
    int group = vision.spatialMergeSize() * vision.spatialMergeSize();
    long merged = vision.mergedSize();
    return 2.0
        * (group * (vision.depth() * block + width * vision.patchWidth())
            + merged * merged
            + merged * vision.outHiddenSize());
  }

  private Map<String, Object> held(String model, Turn turn) throws InterruptedException {
    try (Engine engine = open(model, turn);
        Streams streams = streams(engine, load.streams(), turn)) {
      streams.atOnce(load.warmUp());
      streams.paced(2, PERIOD); // the clock of each finds its place
      List<Answer> answers = streams.paced(load.seconds(), PERIOD);
      Map<String, Object> figures = new LinkedHashMap<>();
      figures.put("streams", load.streams());
      figures.put("lagMillisP50", millis(answers, 0.5));
      figures.put("lagMillisP99", millis(answers, 0.99));
      figures.put("lagMillisWorst", millis(answers, 1));
      figures.put("rowsUsed", engine.metrics().rowsUsed());
      return figures;
    }
  }

  private Map<String, Object> through(String model, Turn turn) throws InterruptedException {
    try (Engine engine = open(model, turn);
        Streams streams = streams(engine, load.streams(), turn)) {
      streams.atOnce(load.warmUp());
      EngineMetrics before = engine.metrics();
      long heap = HeapTaken.by(STEP_THREAD);
      long begin = System.nanoTime();
      List<Answer> answers;
      Utilization.Result busy;
      try (Utilization utilization = Utilization.watch(check)) {
        answers = streams.atOnce(Math.max(2, load.seconds() / 4));
        busy = utilization.result();
      }
      double seconds = (System.nanoTime() - begin) / 1e9;
      heap = HeapTaken.by(STEP_THREAD) - heap;
      EngineMetrics after = engine.metrics();
      long tokens = after.tokens() - before.tokens();
      Map<String, Object> figures = new LinkedHashMap<>();
      figures.put("streams", load.streams());
      figures.put("chunksPerSecond", answers.size() / seconds);
      figures.put("tokensPerSecond", tokens / seconds);
      figures.putAll(busy.figures());
      figures.putAll(
          perStep(
              after.device().since(before.device()), (double) (after.steps() - before.steps())));
      figures.put("heapBytesPerToken", (double) heap / tokens);
      figures.putAll(stages(before, after));
      return figures;
    }
  }

  /** What the device was asked per step. */
  static Map<String, Object> perStep(DeviceCounters counted, double steps) {
    Map<String, Object> figures = new LinkedHashMap<>();
    figures.put("launchesPerStep", counted.launches() / steps);
    figures.put("replaysPerStep", counted.replays() / steps);
    figures.put("tableCopiesPerStep", counted.tableCopies() / steps);
    figures.put("otherCopiesPerStep", counted.otherCopies() / steps);
    figures.put("resultsPerStep", counted.results() / steps);
    figures.put("allocationsPerStep", counted.allocations() / steps);
    return figures;
  }

  private static Map<String, Object> stages(EngineMetrics before, EngineMetrics after) {
    double rounds = after.rounds() - before.rounds();
    EngineMetrics.Stages a = before.stages();
    EngineMetrics.Stages b = after.stages();
    Map<String, Object> figures = new LinkedHashMap<>();
    figures.put("msFramesPerChunk", (b.frames() - a.frames()) / 1e6 / rounds);
    figures.put("msVisionPerChunk", (b.vision() - a.vision()) / 1e6 / rounds);
    figures.put("msLoadPerChunk", (b.load() - a.load()) / 1e6 / rounds);
    figures.put("msPrefillPerChunk", (b.prefill() - a.prefill()) / 1e6 / rounds);
    figures.put("msDecodePerChunk", (b.decode() - a.decode()) / 1e6 / rounds);
    figures.put("msSamplePerChunk", (b.sample() - a.sample()) / 1e6 / rounds);
    return figures;
  }

  private static double millis(List<Answer> answers, double share) {
    long[] lags = answers.stream().mapToLong(Answer::lagNanos).sorted().toArray();
    return lags[Math.max(0, (int) Math.ceil(share * lags.length) - 1)] / 1e6;
  }
}

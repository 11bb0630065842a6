// SPDX-License-Identifier: Apache-2.0
package io.everwatch.benchmarks.gpu;

import io.everwatch.kernels.Arena;
import io.everwatch.kernels.Backend;
import io.everwatch.kernels.Batch;
import io.everwatch.kernels.Context;
import io.everwatch.kernels.DeviceBuffer;
import io.everwatch.kernels.DeviceCounters;
import io.everwatch.kernels.Draw;
import io.everwatch.kernels.RowPool;
import io.everwatch.kernels.SamplingRules;
import io.everwatch.kernels.Span;
import io.everwatch.kernels.Vocabulary;
import io.everwatch.kernels.cuda.DeviceProbe;
import io.everwatch.operators.model.Model;
import io.everwatch.operators.model.ModelFolder;
import io.everwatch.operators.model.TextConfig;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/**
 * Steps of the whole decoder, sampling included, with full memories: how near they come to the time
 * in which the device can read the weights and the rows.
 */
final class DecodePart {
  /** Rows of a prompt that fills a memory. */
  private static final int PROMPT = 2048;

  private static final int WARM_UP = 4;
  private static final SamplingRules RULES = new SamplingRules(1.05f, 0.7f, 0, 0.9f);

  private final Check check;
  private final String model;

  DecodePart(Check check, String model) {
    this.check = check;
    this.model = model;
  }

  void run(Ledger ledger) {
    Shapes.Decoder decoder = check.shapes().decoder();
    for (int streams : new int[] {1, decoder.streams()}) {
      ledger.item(item(decoder, streams, model), () -> time(decoder.past(), streams));
    }
  }

  static String item(Shapes.Decoder decoder, int streams, String model) {
    return "step %s of %s".formatted(decoder.decodeItem(streams), model);
  }

  private Map<String, Object> time(int rows, int streams) {
    int steps = WARM_UP + check.timing().samples();
    int each = rows + steps + 1;
    double copy = 0;
    if (check.onGpu()) {
      try (DeviceProbe probe = DeviceProbe.open(check.device().index())) {
        copy = DriverPart.copyBandwidth(probe, check);
      }
    }
    List<Context> contexts = new ArrayList<>();
    try (Backend backend = check.open()) {
      Model loaded = Model.load(ModelFolder.open(model), backend);
      TextConfig text = loaded.config().text();
      BitSet drawable = new BitSet();
      drawable.set(0, text.vocabSize());
      Vocabulary vocabulary = backend.vocabulary(text.vocabSize(), drawable);
      try (RowPool pool =
              backend.rowPool(loaded.decoder().kvShape(), Math.multiplyExact(streams, each));
          Arena arena = backend.arena()) {
        int[] tokens = new int[streams];
        for (int s = 0; s < streams; s++) {
          Context context = backend.context(pool);
          contexts.add(context);
          fill(loaded, backend, context, s * each, rows, arena);
          tokens[s] = s % text.vocabSize();
        }
        double[] seconds = new double[steps];
        DeviceCounters before = DeviceCounters.NONE;
        for (int i = 0; i < steps; i++) {
          if (i == WARM_UP) {
            before = backend.counters();
          }
          long begin = System.nanoTime();
          tokens = step(loaded, backend, contexts, tokens, vocabulary, each, i);
          seconds[i] = (System.nanoTime() - begin) / 1e9;
        }
        DeviceCounters counted = backend.counters().since(before);
        contexts.forEach(Context::close);
        return figures(
            Arrays.copyOfRange(seconds, WARM_UP, steps),
            weightBytes(text, backend.dtype().sizeBytes()),
            (long) streams * (rows + steps / 2) * pool.rowBytes(),
            copy,
            counted);
      }
    }
  }

  /** A memory of random ids. */
  private static void fill(
      Model model, Backend backend, Context context, int slot, int rows, Arena arena) {
    Random random = new Random(slot);
    for (int first = 0; first < rows; first += PROMPT) {
      int count = Math.min(PROMPT, rows - first);
      AttentionPart.extend(context, first, count, slot);
      int[] ids = random.ints(count, 0, model.decoder().vocabSize()).toArray();
      Batch batch =
          backend.prefillBatch(
              List.of(new Span(context, 0, count)), ids, new int[] {count - 1}, List.of());
      DeviceBuffer x = model.decoder().embed(batch, arena);
      model.decoder().forward(x, batch, arena);
      arena.reset();
    }
  }

  private static int[] step(
      Model model,
      Backend backend,
      List<Context> contexts,
      int[] tokens,
      Vocabulary vocabulary,
      int each,
      int number) {
    for (int s = 0; s < contexts.size(); s++) {
      AttentionPart.extend(contexts.get(s), contexts.get(s).rows(), 1, s * each);
    }
    List<Draw> draws = Collections.nCopies(contexts.size(), new Draw(RULES, 7, number, 0));
    Batch batch = backend.decodeBatch(contexts, tokens, draws);
    int[] chosen = backend.sample(model.decoder().decode(batch), vocabulary, batch);
    for (int token : chosen) {
      if (token < 0) {
        throw new IllegalStateException("step %d has a logit that is not finite".formatted(number));
      }
    }
    return chosen;
  }

  /** Bytes of weights that a decode step reads: all matrices of the layers, and the head. */
  static long weightBytes(TextConfig text, int elementBytes) {
    long attention =
        (long) text.hiddenSize() * (2L * text.numHeads() * text.headDim() + 2L * text.kvSize());
    long feedForward = 3L * text.hiddenSize() * text.intermediateSize();
    long head = (long) text.vocabSize() * text.hiddenSize();
    return elementBytes * (text.numLayers() * (attention + feedForward) + head);
  }

  private static Map<String, Object> figures(
      double[] seconds, long weightBytes, long rowBytes, double copy, DeviceCounters counted) {
    Arrays.sort(seconds);
    double median = seconds[seconds.length / 2];
    Map<String, Object> figures = new LinkedHashMap<>();
    figures.put("millis", median * 1e3);
    figures.put("spread", (seconds[seconds.length - 1] - seconds[0]) / median);
    figures.put("weightBytes", weightBytes);
    figures.put("rowBytes", rowBytes);
    figures.put("copyGbPerSecond", copy / 1e9);
    if (copy > 0) {
      figures.put("shareOfCopy", (weightBytes + rowBytes) / median / copy);
    }
    figures.putAll(EnginePart.perStep(counted, seconds.length));
    return figures;
  }
}

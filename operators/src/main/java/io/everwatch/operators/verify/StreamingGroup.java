// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.verify;

import com.fasterxml.jackson.databind.JsonNode;
import io.everwatch.operators.cache.RetentionWindow;
import io.everwatch.operators.cache.SegmentKind;
import io.everwatch.operators.cache.Slice;
import io.everwatch.operators.cache.StreamMemory;
import io.everwatch.operators.cache.StreamingVlmPolicy;
import io.everwatch.operators.cache.StreamingVlmPolicy.Cut;
import io.everwatch.operators.cache.StreamingVlmPolicy.Trim;
import io.everwatch.operators.engine.StreamProbe;
import io.everwatch.operators.model.EncodedFrame;
import io.everwatch.operators.model.EncodedFrame.Encoding;
import io.everwatch.operators.model.Model;
import io.everwatch.operators.model.PrefillSettings;
import io.everwatch.operators.model.StreamSettings;
import io.everwatch.operators.model.StreamSettings.QueryPlacement;
import io.everwatch.operators.verify.Accuracy.Beside;
import io.everwatch.operators.verify.GoldenContext.Tensors;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.ToIntFunction;

/**
 * Streams with compaction: rows, ids and positions equal at every chunk, logits and the last cached
 * rows within their limits.
 */
final class StreamingGroup implements GoldenGroup {
  @Override
  public String name() {
    return "streaming";
  }

  @Override
  public void run(GoldenContext context, GoldenReport report) throws IOException {
    for (JsonNode one : context.cases("streaming/cases.json")) {
      String name = one.get("name").asText();
      try {
        new Case(context, report, name).run();
      } catch (IOException | RuntimeException e) {
        report.failed(name, GoldenLimits.EXACT, e);
      }
    }
  }

  /** One setting: a stream of eight to twelve chunks. */
  private static final class Case {
    private static final String KEYS = "final_layer_0_keys_unrotated";

    private final GoldenReport report;
    private final Accuracy accuracy;
    private final String name;
    private final Model model;
    private final JsonNode setting;
    private final List<JsonNode> chunks;
    private final List<String> partNames = new ArrayList<>();
    private final Tensors expected;
    private final byte[] clips;
    private final int[] shape; // clips, T, H, W, 3
    private final StreamProbe probe;
    private final Map<Long, Integer> born = new HashMap<>(); // number of a segment's first row
    private int rowsBorn;
    private final List<float[]> logits = new ArrayList<>(); // as computed, chunk by chunk
    private final List<float[]> wantedLogits = new ArrayList<>();

    Case(GoldenContext context, GoldenReport report, String name) throws IOException {
      this.report = report;
      this.accuracy = context.accuracy();
      this.name = name;
      List<JsonNode> lines = context.lines("streaming/" + name + ".json");
      setting = lines.get(0);
      setting.get("part_names").forEach(part -> partNames.add(part.asText()));
      chunks = lines.subList(1, lines.size());
      model = context.model(setting.get("checkpoint").asText());
      expected = context.tensors("streaming/" + name + ".safetensors");
      Tensors pictures = context.tensors("streaming/clips.safetensors");
      String clip = setting.get("clips").asText();
      clips = pictures.bytes(clip);
      shape = new int[5];
      for (int i = 0; i < shape.length; i++) {
        shape[i] = pictures.extent(clip, i);
      }
      probe =
          new StreamProbe(
              model, context.backend(), settings(), policy(), setting.get("context").asText());
    }

    void run() {
      try (probe) {
        for (JsonNode chunk : chunks) {
          String at = name + " chunk " + chunk.get("chunk").intValue();
          report.exact(at, () -> chunk(chunk));
        }
        accuracy.logits(
            report,
            name + " logits",
            () -> new Beside(joined(logits), joined(wantedLogits), model.decoder().vocabSize()));
        if (expected.has(KEYS)) { // one case, without compaction, stores logits only
          int last = model.decoder().kvShape().layers() - 1;
          accuracy.between(report, name + " keys", GoldenLimits.HIDDEN, () -> cached(KEYS, 0, 0));
          accuracy.between(
              report,
              name + " values",
              GoldenLimits.HIDDEN,
              () -> cached("final_layer_%d_values".formatted(last), last, 1));
        }
      }
    }

    private String chunk(JsonNode line) {
      boolean forced = setting.get("forced").asBoolean() || !accuracy.choosesTheSame();
      int[] output = GoldenContext.ints(line.get("output"));
      StreamProbe.Round round =
          probe.round(
              line.get("chunk").longValue(),
              frames(line.get("clip").intValue()),
              forced ? output : null);
      give(round.after());
      String tensors = "chunk_%02d_".formatted(line.get("chunk").intValue());
      compareLogits(round.logits(), line, tensors + "logits");
      List<String> differences = new ArrayList<>();
      differ(differences, "survivors", births(round.kept()), line);
      differ(differences, "cached", new int[] {round.kept().cachedRows()}, line);
      differ(differences, "born", births(round.proposed()), line);
      differ(differences, "ids", round.proposed().ids(), line);
      differ(differences, "parts", rows(round.proposed(), s -> part(s.kind())), line);
      differ(differences, "rounds", rows(round.proposed(), s -> (int) s.round()), line);
      differ(differences, "output", round.output(), line);
      differ(differences, "cached_after", new int[] {round.after().cachedRows()}, line);
      differ(differences, round.positions(), tensors + "positions");
      differ(differences, StreamProbe.positions(round.after()), tensors + "positions_after");
      return String.join("; ", differences);
    }

    private static void differ(
        List<String> differences, String field, int[] actual, JsonNode line) {
      JsonNode value = line.get(field);
      int[] wanted = value.isArray() ? GoldenContext.ints(value) : new int[] {value.intValue()};
      String difference = Differences.between(actual, wanted);
      if (!difference.isEmpty()) {
        differences.add(field + ": " + difference);
      }
    }

    private void differ(List<String> differences, float[][] positions, String tensor) {
      float[] wanted = expected.floats(tensor);
      int rows = positions[0].length;
      float[] actual = new float[3 * rows];
      for (int axis = 0; axis < 3; axis++) {
        System.arraycopy(positions[axis], 0, actual, axis * rows, rows);
      }
      int at = Arrays.mismatch(actual, wanted);
      if (at >= 0) {
        differences.add(tensor + " differ at " + at);
      }
    }

    /** Numbers the rows in the order in which they entered. */
    private void give(StreamMemory memory) {
      for (Slice slice : memory.slices()) {
        if (!born.containsKey(slice.segment().id())) {
          born.put(slice.segment().id(), rowsBorn);
          rowsBorn += slice.segment().ids().length;
        }
      }
    }

    private int[] births(StreamMemory memory) {
      int[] births = new int[memory.rows()];
      int at = 0;
      for (Slice slice : memory.slices()) {
        for (int row = slice.from(); row < slice.to(); row++) {
          births[at++] = born.getOrDefault(slice.segment().id(), -1) + row;
        }
      }
      return births;
    }

    private static int[] rows(StreamMemory memory, ToIntFunction<Slice> of) {
      int[] values = new int[memory.rows()];
      int at = 0;
      for (Slice slice : memory.slices()) {
        Arrays.fill(values, at, at + slice.rows(), of.applyAsInt(slice));
        at += slice.rows();
      }
      return values;
    }

    /** Index of the name that the fixtures have for a kind. */
    private int part(SegmentKind kind) {
      String wanted =
          switch (kind) {
            case SYSTEM -> "system";
            case MEMORY_OPEN -> "prev_open";
            case MEMORY -> "prev";
            case MEMORY_CLOSE -> "prev_close";
            case USER_OPEN -> "user_open";
            case MARKER -> "marker";
            case VISION -> "vision";
            case QUERY -> "query";
            case USER_CLOSE -> "user_close";
            case ASSISTANT_OPEN -> "asst_open";
            case GENERATED -> "gen";
            case ASSISTANT_CLOSE -> "asst_close";
          };
      return partNames.indexOf(wanted);
    }

    private void compareLogits(List<float[]> logits, JsonNode line, String tensor) {
      int[] steps = GoldenContext.ints(line.get("logit_steps"));
      float[] wanted = expected.floats(tensor);
      float[] actual = new float[wanted.length];
      int width = wanted.length / steps.length;
      for (int i = 0; i < steps.length; i++) {
        System.arraycopy(logits.get(steps[i]), 0, actual, i * width, width);
      }
      this.logits.add(actual);
      wantedLogits.add(wanted);
    }

    /**
     * @param half 0 = keys, 1 = values
     */
    private Beside cached(String tensor, int layer, int half) {
      float[] wanted = expected.floats(tensor);
      float[][] rows = probe.rows();
      int width = wanted.length / rows.length;
      float[] actual = new float[rows.length * width];
      for (int row = 0; row < rows.length; row++) {
        System.arraycopy(rows[row], (2 * layer + half) * width, actual, row * width, width);
      }
      return new Beside(actual, wanted, width);
    }

    private static float[] joined(List<float[]> parts) {
      float[] all = new float[parts.stream().mapToInt(part -> part.length).sum()];
      int at = 0;
      for (float[] part : parts) {
        System.arraycopy(part, 0, all, at, part.length);
        at += part.length;
      }
      return all;
    }

    private List<EncodedFrame> frames(int clip) {
      int size = shape[2] * shape[3] * shape[4];
      List<EncodedFrame> frames = new ArrayList<>();
      for (int frame = 0; frame < shape[1]; frame++) {
        int from = (clip * shape[1] + frame) * size;
        frames.add(
            new EncodedFrame(
                Encoding.RGB24, shape[3], shape[2], Arrays.copyOfRange(clips, from, from + size)));
      }
      return frames;
    }

    private StreamingVlmPolicy policy() {
      JsonNode policy = setting.get("policy");
      boolean cut = !policy.get("sink").isNull();
      return new StreamingVlmPolicy(
          new RetentionWindow(
              policy.get("text_rounds").intValue(),
              policy.get("vision_rounds").intValue(),
              cut,
              cut ? policy.get("sink").intValue() : 0,
              cut ? policy.get("window").intValue() : 0),
          model.grammar().turnTokens(),
          Cut.valueOf(policy.get("cut").asText().toUpperCase(Locale.ROOT)),
          Trim.valueOf(policy.get("trim").asText().toUpperCase(Locale.ROOT)));
    }

    /** Greedy; pictures have whole merge groups already and are not resized. */
    private StreamSettings settings() {
      JsonNode policy = setting.get("policy");
      long pixels = (long) shape[2] * shape[3];
      return new StreamSettings(
          policy.get("fps").doubleValue(),
          1_000_000,
          pixels,
          pixels,
          policy.get("vision_rounds").intValue(),
          policy.get("text_rounds").intValue(),
          !policy.get("sink").isNull(),
          policy.get("sink").intValue(),
          policy.get("window").intValue(),
          policy.get("max_new").intValue(),
          0,
          policy.get("penalty").floatValue(),
          0,
          1,
          0,
          setting.get("query").asText(),
          QueryPlacement.FIRST_TURN,
          9_000,
          0,
          0,
          0,
          PrefillSettings.DEFAULT);
    }
  }
}

// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.model;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Finds the value of every setting; later wins: built-in, {@code generation_config.json} and {@code
 * preprocessor_config.json}, {@code streaming.json}, job configuration, command.
 *
 * <p>A folder without {@code streaming.json} is a checkpoint as published. Its two other files
 * speak of single questions about single pictures (temperature 1e-6, up to 12.8 megapixels), and
 * the published streaming mode replaces both by constants of its own: those are the built-in
 * values, so for such a folder the two files are checked, but set nothing here. Thread-safe.
 */
public final class SettingsResolver {
  private final ModelConfig config;
  private final SettingLayers model;

  private SettingsResolver(ModelConfig config, SettingLayers model) {
    this.config = config;
    this.model = model;
  }

  /**
   * Reads the settings files of a model.
   *
   * @throws BadModelException naming every problem, unknown keys included
   */
  public static SettingsResolver open(ModelFolder folder, ModelConfig config) {
    SettingLayers layers = new SettingLayers();
    GenerationConfig generation = GenerationConfig.read(folder);
    PreprocessorConfig preprocessor = PreprocessorConfig.read(folder, config);
    Optional<Path> streaming = folder.file(ModelFolder.STREAMING);
    if (streaming.isPresent()) {
      put(layers, SettingKey.TEMPERATURE, generation.temperature(), ModelFolder.GENERATION);
      put(
          layers,
          SettingKey.REPETITION_PENALTY,
          generation.repetitionPenalty(),
          ModelFolder.GENERATION);
      put(layers, SettingKey.TOP_K, generation.topK(), ModelFolder.GENERATION);
      put(layers, SettingKey.TOP_P, generation.topP(), ModelFolder.GENERATION);
      put(layers, SettingKey.MAX_NEW_TOKENS, generation.maxNewTokens(), ModelFolder.GENERATION);
      put(layers, SettingKey.MIN_PIXELS, preprocessor.minPixels(), preprocessor.origin());
      put(layers, SettingKey.MAX_PIXELS, preprocessor.maxPixels(), preprocessor.origin());
      putStreaming(layers, streaming.get());
    }
    SettingsResolver resolver = new SettingsResolver(config, layers);
    Problems problems = new Problems();
    resolver.build(layers.copy(), problems); // a derived value must not become the model's own
    problems.throwIfAny(
        "settings of " + folder, "Correct the file that is named, or leave the key out.");
    return resolver;
  }

  /** All keys, spelled as in {@code streaming.json}, in the order in which they are shown. */
  public static List<String> keys() {
    return SettingKey.names();
  }

  /**
   * The settings of a job.
   *
   * @param job keys of {@code streaming.json}; {@code text-window} and {@code textWindow} are
   *     understood too
   * @throws BadModelException naming every unknown key and every value out of range
   */
  public ResolvedSettings resolve(Map<String, String> job) {
    return resolve(job, Map.of());
  }

  /**
   * The settings of one stream.
   *
   * @param command what a command to the stream changes; keys as for the job
   * @throws BadModelException naming every unknown key and every value out of range
   */
  public ResolvedSettings resolve(Map<String, String> job, Map<String, String> command) {
    Problems problems = new Problems();
    SettingLayers layers = model.copy();
    layers.put(job, "job configuration", problems);
    layers.put(command, "command", problems);
    StreamSettings settings = build(layers, problems);
    problems.throwIfAny("settings", "Correct the values; nothing was changed.");
    return new ResolvedSettings(settings, origins(layers));
  }

  private static void put(
      SettingLayers layers, SettingKey<?> key, Optional<?> value, String origin) {
    value.ifPresent(v -> layers.put(key, v.toString(), origin));
  }

  private static void putStreaming(SettingLayers layers, Path file) {
    Problems problems = new Problems();
    ObjectNode root = JsonFile.read(file);
    root.properties()
        .forEach(
            field -> {
              JsonNode value = field.getValue();
              Optional<SettingKey<?>> key = SettingLayers.key(field.getKey());
              if (key.isEmpty()) {
                problems.add(SettingLayers.unknown(ModelFolder.STREAMING, field.getKey()));
              } else if (!key.get().type().accepts().test(value)
                  || key.get().type().parse(value.asText()).isEmpty()) {
                problems.add(
                    "%s is %s, expected %s"
                        .formatted(field.getKey(), value, key.get().type().expected()));
              } else {
                layers.put(key.get(), value.asText(), ModelFolder.STREAMING);
              }
            });
    problems.throwIfAny(file.toString(), "Correct the file, or leave the key out.");
  }

  private StreamSettings build(SettingLayers layers, Problems problems) {
    long chunk = layers.get(SettingKey.CHUNK, 1_000_000L, problems);
    long visualRounds = layers.get(SettingKey.VISUAL_ROUNDS, 1L, problems);
    if (!layers.has(SettingKey.MAX_GAP)) {
      layers.put(
          SettingKey.MAX_GAP,
          SettingType.durationText(visualRounds * chunk),
          "visual_rounds x chunk");
    }
    StreamSettings settings =
        new StreamSettings(
            layers.get(SettingKey.FPS, 1.0, problems),
            chunk,
            layers.get(SettingKey.MIN_PIXELS, 1L, problems),
            layers.get(SettingKey.MAX_PIXELS, 1L, problems),
            (int) visualRounds,
            layers.get(SettingKey.TEXT_ROUNDS, 2L, problems).intValue(),
            layers.get(SettingKey.CUT_TEXT, true, problems),
            layers.get(SettingKey.TEXT_SINK, 0L, problems).intValue(),
            layers.get(SettingKey.TEXT_WINDOW, 0L, problems).intValue(),
            layers.get(SettingKey.MAX_NEW_TOKENS, 1L, problems).intValue(),
            temperature(layers.get(SettingKey.TEMPERATURE, 0.0, problems)),
            layers.get(SettingKey.REPETITION_PENALTY, 1.0, problems).floatValue(),
            layers.get(SettingKey.TOP_K, 0L, problems).intValue(),
            layers.get(SettingKey.TOP_P, 1.0, problems).floatValue(),
            layers.get(SettingKey.SEED, 0L, problems),
            layers.get(SettingKey.INSTRUCTION, "", problems),
            layers.get(SettingKey.QUERY_PLACEMENT, StreamSettings.QueryPlacement.CONTEXT, problems),
            layers.get(SettingKey.MARKER_LIMIT, 1_000_000L, problems) / 1e6,
            layers.get(SettingKey.ALLOWED_LATENESS, 0L, problems),
            layers.get(SettingKey.MAX_GAP, 0L, problems),
            layers.get(SettingKey.MAX_CLOCK_JUMP, 1L, problems),
            prefill(layers, problems));
    if (!problems.any()) {
      check(settings, layers, problems);
    }
    return settings;
  }

  /** The same but for how tokens are chosen and prompts computed, which {@code layers} say. */
  static StreamSettings sampling(StreamSettings base, SettingLayers layers, Problems problems) {
    return new StreamSettings(
        base.fps(),
        base.chunkMicros(),
        base.minPixels(),
        base.maxPixels(),
        base.visualRounds(),
        base.textRounds(),
        base.cutText(),
        base.textSink(),
        base.textWindow(),
        layers.get(SettingKey.MAX_NEW_TOKENS, 1L, problems).intValue(),
        temperature(layers.get(SettingKey.TEMPERATURE, 0.0, problems)),
        layers.get(SettingKey.REPETITION_PENALTY, 1.0, problems).floatValue(),
        layers.get(SettingKey.TOP_K, 0L, problems).intValue(),
        layers.get(SettingKey.TOP_P, 1.0, problems).floatValue(),
        layers.get(SettingKey.SEED, 0L, problems),
        base.instruction(),
        base.queryPlacement(),
        base.markerLimitSeconds(),
        base.allowedLatenessMicros(),
        base.maxGapMicros(),
        base.maxClockJumpMicros(),
        prefill(layers, problems));
  }

  private static PrefillSettings prefill(SettingLayers layers, Problems problems) {
    PrefillSettings harmless = PrefillSettings.DEFAULT;
    return new PrefillSettings(
        layers.get(SettingKey.PREFILL_PIECE, 0L, problems).intValue(),
        layers.get(SettingKey.SPARSE_PREFILL, harmless.sparse(), problems),
        layers.get(SettingKey.SPARSE_BLOCK, 128L, problems).intValue(),
        layers.get(SettingKey.SPARSE_GAMMA, harmless.gamma(), problems),
        layers.get(SettingKey.SPARSE_TAU, harmless.tau(), problems),
        layers.get(SettingKey.SPARSE_MIN_BUDGET, 1L, problems).intValue(),
        layers.get(SettingKey.SPARSE_MAX_BUDGET, 0L, problems).intValue(),
        layers.get(SettingKey.SPARSE_MIN_CHUNK, 1L, problems).intValue(),
        layers.get(SettingKey.SPARSE_DENSE_LAST_ROW, false, problems));
  }

  /** Next to 0 a division of the scores would overflow, and nothing but the best has a chance. */
  private static float temperature(double value) {
    return value < GenerationConfig.GREEDY_BELOW ? 0 : (float) value;
  }

  /** What no value shows alone. */
  private void check(StreamSettings settings, SettingLayers layers, Problems problems) {
    double frames = FrameRateChange.frames(settings.fps(), settings.chunkMicros());
    if (!FrameRateChange.fits(frames)) {
      problems.add(
          "%s and %s give %s frames per chunk, expected %s"
              .formatted(
                  said(SettingKey.FPS, layers),
                  said(SettingKey.CHUNK, layers),
                  frames,
                  FrameRateChange.expected()));
    }
    if (settings.chunkMicros() % TimeMarker.TENTH_MICROS != 0) {
      problems.add(
          "%s, expected whole tenths of a second: time markers have one decimal"
              .formatted(said(SettingKey.CHUNK, layers)));
    }
    if (settings.markerLimitSeconds() * 1e6 < 2 * settings.chunkMicros()) {
      problems.add(
          "%s, expected at least two chunks (%s)"
              .formatted(said(SettingKey.MARKER_LIMIT, layers), said(SettingKey.CHUNK, layers)));
    }
    int side = config.vision().mergedPatchSize();
    if (settings.minPixels() > settings.maxPixels() || settings.maxPixels() < (long) side * side) {
      problems.add(
          "%s and %s, expected min <= max and a max of at least %d, one vision token"
              .formatted(
                  said(SettingKey.MIN_PIXELS, layers),
                  said(SettingKey.MAX_PIXELS, layers),
                  side * side));
    }
  }

  private static String said(SettingKey<?> key, SettingLayers layers) {
    return "%s %s (%s)".formatted(key.name(), layers.text(key), layers.origin(key));
  }

  private static List<ResolvedSettings.Origin> origins(SettingLayers layers) {
    List<ResolvedSettings.Origin> origins = new ArrayList<>();
    for (SettingKey<?> key : SettingKey.ALL) {
      String text = layers.text(key);
      origins.add(
          new ResolvedSettings.Origin(
              key.name(),
              key.equals(SettingKey.INSTRUCTION) ? "\"" + text.replace("\n", "\\n") + "\"" : text,
              layers.origin(key),
              key.help()));
    }
    return origins;
  }
}

// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.model;

import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * What a command may change of the model's settings of a stream that goes on, beside its {@link
 * FrameRateChange}: how tokens are chosen and how prompts are computed. Everything else shapes the
 * memory that is there already. Pure.
 */
public final class SamplingChanges {
  /** Longest instruction, characters. */
  public static final int MAX_INSTRUCTION = 8192;

  private static final List<SettingKey<?>> KEYS =
      Stream.concat(
              Stream.of(
                  SettingKey.MAX_NEW_TOKENS,
                  SettingKey.TEMPERATURE,
                  SettingKey.REPETITION_PENALTY,
                  SettingKey.TOP_K,
                  SettingKey.TOP_P,
                  SettingKey.SEED),
              SettingKey.PREFILL.stream())
          .toList();

  private SamplingChanges() {}

  /** The keys that may be changed, as in {@code streaming.json}. */
  public static List<String> keys() {
    return KEYS.stream().<String>map(SettingKey::name).toList();
  }

  /**
   * Checks what was written.
   *
   * @param written keys in any spelling that the job's configuration takes
   * @param keys all that a command may change, for messages
   * @return the same by proper key
   * @throws BadModelException naming every key that may not be changed and every value out of range
   */
  public static SortedMap<String, String> check(Map<String, String> written, List<String> keys) {
    Problems problems = new Problems();
    SortedMap<String, String> checked = new TreeMap<>();
    for (Map.Entry<String, String> one : new TreeMap<>(written).entrySet()) {
      String name = SettingLayers.canonical(one.getKey());
      Optional<SettingKey<?>> key = KEYS.stream().filter(k -> k.name().equals(name)).findFirst();
      if (key.isEmpty()) {
        problems.add(
            SettingLayers.key(name).isPresent()
                ? "%s is fixed while the job runs, expected one of %s".formatted(name, keys)
                : "unknown key %s, expected one of %s".formatted(one.getKey(), keys));
      } else if (key.get().type().parse(one.getValue()).isEmpty()) {
        problems.add(
            "%s is \"%s\", expected %s"
                .formatted(name, one.getValue(), key.get().type().expected()));
      } else if (checked.put(name, one.getValue()) != null) {
        problems.add("%s was given twice, expected it once".formatted(name));
      }
    }
    problems.throwIfAny("settings", "Correct the command; nothing was changed.");
    return Collections.unmodifiableSortedMap(checked);
  }

  /**
   * The settings with the changes.
   *
   * @param checked as {@link #check} returned it
   */
  public static StreamSettings apply(StreamSettings base, Map<String, String> checked) {
    if (checked.isEmpty()) {
      return base;
    }
    Problems problems = new Problems();
    SettingLayers layers = new SettingLayers();
    layers.put(SettingKey.MAX_NEW_TOKENS, Integer.toString(base.maxNewTokens()), "stream");
    layers.put(SettingKey.TEMPERATURE, Float.toString(base.temperature()), "stream");
    layers.put(SettingKey.REPETITION_PENALTY, Float.toString(base.repetitionPenalty()), "stream");
    layers.put(SettingKey.TOP_K, Integer.toString(base.topK()), "stream");
    layers.put(SettingKey.TOP_P, Float.toString(base.topP()), "stream");
    layers.put(SettingKey.SEED, Long.toString(base.seed()), "stream");
    putPrefill(layers, base.prefill());
    layers.put(checked, "command", problems);
    StreamSettings changed = SettingsResolver.sampling(base, layers, problems);
    problems.throwIfAny("settings of a command", "Send the command again.");
    return changed;
  }

  private static void putPrefill(SettingLayers layers, PrefillSettings base) {
    Map<SettingKey<?>, Object> values =
        Map.of(
            SettingKey.PREFILL_PIECE, base.piece(),
            SettingKey.SPARSE_PREFILL, base.sparse().name().toLowerCase(Locale.ROOT),
            SettingKey.SPARSE_BLOCK, base.block(),
            SettingKey.SPARSE_GAMMA, base.gamma(),
            SettingKey.SPARSE_TAU, base.tau(),
            SettingKey.SPARSE_MIN_BUDGET, base.minBudget(),
            SettingKey.SPARSE_MAX_BUDGET, base.maxBudget(),
            SettingKey.SPARSE_MIN_CHUNK, base.minChunk(),
            SettingKey.SPARSE_DENSE_LAST_ROW, base.denseLastRow());
    values.forEach((key, value) -> layers.put(key, value.toString(), "stream"));
  }
}

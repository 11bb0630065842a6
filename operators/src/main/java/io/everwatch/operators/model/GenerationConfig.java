// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.model;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * What {@code generation_config.json} says about sampling (Qwen2.5-VL §3.4); empty where it is
 * silent or absent.
 *
 * @param temperature 0 = greedy, which the file says with {@code do_sample} or a temperature next
 *     to 0
 */
record GenerationConfig(
    Optional<Double> temperature,
    Optional<Double> repetitionPenalty,
    Optional<Integer> topK,
    Optional<Double> topP,
    Optional<Integer> maxNewTokens,
    List<Integer> stopTokens) {
  /** The published models say 1e-6, which nobody can tell from greedy but by a tie. */
  static final double GREEDY_BELOW = 1e-5;

  /**
   * @throws BadModelException naming every field of the wrong type
   */
  static GenerationConfig read(ModelFolder folder) {
    Optional<Path> file = folder.file(ModelFolder.GENERATION);
    if (file.isEmpty()) {
      return new GenerationConfig(
          Optional.empty(),
          Optional.empty(),
          Optional.empty(),
          Optional.empty(),
          Optional.empty(),
          List.of());
    }
    Problems problems = new Problems();
    JsonFields fields = new JsonFields(JsonFile.read(file.get()), "", problems);
    Optional<Double> temperature =
        fields.optionalNumber("temperature").map(t -> t < GREEDY_BELOW ? 0 : t);
    GenerationConfig config =
        new GenerationConfig(
            fields.flag("do_sample", true) ? temperature : Optional.of(0.0),
            fields.optionalNumber("repetition_penalty"),
            fields.optionalInteger("top_k"),
            fields.optionalNumber("top_p"),
            fields.optionalInteger("max_new_tokens"),
            fields.tokenIds("eos_token_id"));
    problems.throwIfAny(file.get().toString(), "Take the file from the model's publisher.");
    return config;
  }
}

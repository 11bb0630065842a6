// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.model;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * What {@code preprocessor_config.json}, or {@code processor_config.json} of newer folders, says of
 * pixel limits (Qwen2.5-VL §3.4); empty where it is silent or absent.
 *
 * @param origin name of the file
 */
record PreprocessorConfig(String origin, Optional<Integer> minPixels, Optional<Integer> maxPixels) {
  /** Published mean and deviation, red, green, blue (§6.3); the frame processor knows no other. */
  private static final List<Double> MEAN = List.of(0.48145466, 0.4578275, 0.40821073);

  private static final List<Double> DEVIATION = List.of(0.26862954, 0.26130258, 0.27577711);

  /** Some files hold the numbers rounded to float32. */
  private static final double ROUNDED = 1e-6;

  /**
   * @throws BadModelException if the file contradicts the architecture or asks for another
   *     normalisation
   */
  static PreprocessorConfig read(ModelFolder folder, ModelConfig config) {
    Optional<Path> published = folder.file(ModelFolder.PREPROCESSOR);
    Optional<Path> newer = folder.file(ModelFolder.PROCESSOR);
    Optional<Path> file = published.or(() -> newer);
    if (file.isEmpty()) {
      return new PreprocessorConfig("", Optional.empty(), Optional.empty());
    }
    Problems problems = new Problems();
    ObjectNode root = JsonFile.read(file.get());
    JsonFields fields = new JsonFields(root, "", problems);
    if (published.isEmpty()) {
      fields = nested(fields, "video_processor", "image_processor");
    }
    PreprocessorConfig found = limits(fields, String.valueOf(file.get().getFileName()));
    checkArchitecture(fields, config.vision(), problems);
    checkNormalisation(fields, problems);
    problems.throwIfAny(
        file.get().toString(),
        "Expected the file of the same Qwen2.5-VL checkpoint; take it from the model's publisher.");
    return found;
  }

  private static JsonFields nested(JsonFields fields, String... names) {
    for (String name : names) {
      Optional<ObjectNode> object = fields.object(name);
      if (object.isPresent()) {
        return new JsonFields(object.get(), name + ".", fields.problems());
      }
    }
    return fields;
  }

  /** Newer files call the limits {@code size.shortest_edge} and {@code size.longest_edge}. */
  private static PreprocessorConfig limits(JsonFields fields, String origin) {
    JsonFields size = nested(fields, "size");
    Optional<Integer> min = fields.optionalInteger("min_pixels");
    Optional<Integer> max = fields.optionalInteger("max_pixels");
    return new PreprocessorConfig(
        origin,
        min.or(() -> size.optionalInteger("shortest_edge")),
        max.or(() -> size.optionalInteger("longest_edge")));
  }

  private static void checkArchitecture(JsonFields fields, VisionConfig vision, Problems problems) {
    expect(fields, "patch_size", vision.patchSize(), problems);
    expect(fields, "temporal_patch_size", vision.temporalPatchSize(), problems);
    expect(fields, "merge_size", vision.spatialMergeSize(), problems);
  }

  private static void expect(JsonFields fields, String name, int expected, Problems problems) {
    fields
        .optionalInteger(name)
        .filter(value -> value != expected)
        .ifPresent(
            value ->
                problems.add("%s is %d, config.json says %d".formatted(name, value, expected)));
  }

  private static void checkNormalisation(JsonFields fields, Problems problems) {
    checkNumbers(fields, "image_mean", MEAN, problems);
    checkNumbers(fields, "image_std", DEVIATION, problems);
    fields
        .optionalNumber("rescale_factor")
        .filter(factor -> Math.abs(factor - 1 / 255.0) > ROUNDED)
        .ifPresent(
            factor -> problems.add("rescale_factor is %s, expected 1/255".formatted(factor)));
  }

  private static void checkNumbers(
      JsonFields fields, String name, List<Double> expected, Problems problems) {
    Optional<JsonNode> list = fields.optional(name);
    if (list.isEmpty()) {
      return;
    }
    boolean same = list.get().isArray() && list.get().size() == expected.size();
    for (int i = 0; same && i < expected.size(); i++) {
      same = Math.abs(list.get().get(i).asDouble(Double.NaN) - expected.get(i)) <= ROUNDED;
    }
    if (!same) {
      problems.add("%s is %s, expected %s".formatted(name, list.get(), expected));
    }
  }
}

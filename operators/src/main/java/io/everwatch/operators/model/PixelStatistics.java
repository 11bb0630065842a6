// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.model;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Path;
import java.util.Optional;

/**
 * What the model's preprocessor file says about pixels: mean and standard deviation per channel of
 * values in [0, 1], red first. Its patch sizes must agree with {@code config.json}; its pixel
 * limits belong to the settings.
 */
record PixelStatistics(float[] mean, float[] std) {
  /** As published with all models of the family (Qwen2.5-VL specification, section 6.3). */
  private static final PixelStatistics PUBLISHED =
      new PixelStatistics(
          new float[] {0.48145467f, 0.4578275f, 0.40821072f},
          new float[] {0.26862955f, 0.2613026f, 0.2757771f});

  /**
   * Reads either form of the file; without one the published values.
   *
   * @throws BadModelException naming everything that is wrong with it
   */
  static PixelStatistics read(ModelFolder folder, VisionConfig config) {
    Optional<Path> older = folder.file(ModelFolder.PREPROCESSOR);
    Optional<Path> newer = folder.file(ModelFolder.PROCESSOR);
    if (older.isEmpty() && newer.isEmpty()) {
      return PUBLISHED;
    }
    Path file = older.or(() -> newer).orElseThrow();
    Problems problems = new Problems();
    ObjectNode root = JsonFile.read(file);
    ObjectNode fields = new JsonFields(root, "", problems).object("image_processor").orElse(root);
    agree(fields, "patch_size", config.patchSize(), problems);
    agree(fields, "temporal_patch_size", config.temporalPatchSize(), problems);
    agree(fields, "merge_size", config.spatialMergeSize(), problems);
    float[] mean = channels(fields, "image_mean", PUBLISHED.mean, 0, problems);
    float[] std = channels(fields, "image_std", PUBLISHED.std, Float.MIN_NORMAL, problems);
    problems.throwIfAny(
        file.toString(),
        "Expected the preprocessor file that belongs to config.json; take both from the model's"
            + " publisher.");
    return new PixelStatistics(mean, std);
  }

  private static void agree(ObjectNode fields, String name, int expected, Problems problems) {
    JsonNode node = fields.path(name);
    if (!node.isMissingNode() && node.asDouble() != expected) {
      problems.add("%s is %s, config.json says %d".formatted(name, node, expected));
    }
  }

  private static float[] channels(
      ObjectNode fields, String name, float[] absent, float least, Problems problems) {
    JsonNode node = fields.path(name);
    if (node.isMissingNode()) {
      return absent;
    }
    float[] values = new float[3];
    boolean good = node.isArray() && node.size() == values.length;
    for (int i = 0; good && i < values.length; i++) {
      values[i] = (float) node.get(i).asDouble(Double.NaN);
      good = Float.isFinite(values[i]) && values[i] >= least;
    }
    if (!good) {
      problems.add("%s is %s, expected three positive numbers".formatted(name, node));
    }
    return values;
  }
}

// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.model;

import java.nio.file.Path;

/**
 * The architecture of one checkpoint, from its {@code config.json} in any of the three published
 * forms (Qwen2.5-VL §3.3).
 */
public record ModelConfig(TextConfig text, VisionConfig vision, ModelTokens tokens) {
  /**
   * Reads the folder's {@code config.json}.
   *
   * @throws BadModelException naming every missing, misshapen or contradictory field
   */
  public static ModelConfig read(ModelFolder folder) {
    return read(folder.config());
  }

  /** A single file, as {@link #read(ModelFolder)}. */
  public static ModelConfig read(Path file) {
    return new ConfigReader(file).read();
  }
}

// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.cli;

import io.everwatch.operators.engine.EngineOptions;
import io.everwatch.operators.model.ModelConfig;
import io.everwatch.operators.model.ModelFolder;
import io.everwatch.operators.model.ResolvedSettings;
import io.everwatch.operators.model.SettingsResolver;
import java.util.List;

/** What is said of a model without loading its weights. */
final class ModelReport {
  private ModelReport() {}

  /** One line: name, size of the decoder, directory. */
  static String describe(EngineOptions options) {
    ModelFolder folder = ModelFolder.open(options.model());
    ModelConfig config = ModelConfig.read(folder);
    return "%s, %d layers of width %d%s"
        .formatted(
            folder,
            config.text().numLayers(),
            config.text().hiddenSize(),
            folder.weightSeed().isPresent() ? ", random weights: its text means nothing" : "");
  }

  /** Key, value and origin of every setting, a line each. */
  static List<String> settings(EngineOptions options) {
    ModelFolder folder = ModelFolder.open(options.model());
    ResolvedSettings settings =
        SettingsResolver.open(folder, ModelConfig.read(folder)).resolve(options.overrides());
    return settings.describe().lines().toList();
  }
}

// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.cli;

import io.everwatch.operators.engine.EngineOptions;
import io.everwatch.operators.model.ModelFolder;
import java.util.List;

/** What is said of a model before it is loaded. */
final class ModelReport {
  private ModelReport() {}

  static String describe(EngineOptions options) {
    ModelFolder folder = ModelFolder.open(options.model());
    return folder.toString();
  }

  static List<String> settings(EngineOptions options) {
    return List.of();
  }
}

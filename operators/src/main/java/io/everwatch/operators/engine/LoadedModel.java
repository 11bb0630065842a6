// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.engine;

import io.everwatch.kernels.Backend;
import io.everwatch.kernels.BackendOptions;
import io.everwatch.kernels.Backends;
import io.everwatch.kernels.DeviceName;
import io.everwatch.operators.model.Model;
import io.everwatch.operators.model.ModelFolder;

/**
 * A model whose weights lie on a device.
 *
 * @param key what it was loaded from, and how
 * @param backend the device; closed with this
 */
record LoadedModel(Key key, Model model, Backend backend) implements AutoCloseable {
  /**
   * Equal keys mean equal weights in the same layout.
   *
   * @param files {@link ModelFolder#stamp}
   */
  record Key(String files, BackendOptions options) {
    static Key of(ModelFolder folder, EngineOptions options) {
      return new Key(
          folder.stamp(), new BackendOptions(options.threads(), options.plainProducts()));
    }
  }

  /** Opens the device and loads the weights; nothing stays open when that fails. */
  static LoadedModel load(Key key, ModelFolder folder, DeviceName device) {
    Backend backend = Backends.open(device, key.options());
    try {
      return new LoadedModel(key, Model.load(folder, backend), backend);
    } catch (RuntimeException | Error e) {
      try (backend) {
        throw e;
      }
    }
  }

  @Override
  public void close() {
    backend.close();
  }
}

// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.engine;

import io.everwatch.kernels.Backend;
import io.everwatch.kernels.BackendOptions;
import io.everwatch.kernels.Backends;
import io.everwatch.kernels.DeviceException;
import io.everwatch.kernels.DeviceException.Failure;
import io.everwatch.kernels.DeviceName;
import io.everwatch.kernels.DeviceSpace;
import io.everwatch.operators.model.Model;
import io.everwatch.operators.model.ModelConfig;
import io.everwatch.operators.model.ModelFolder;
import io.everwatch.operators.model.TextConfig;
import io.everwatch.operators.model.Weights;
import java.util.Optional;

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
          folder.stamp(),
          new BackendOptions(
              options.threads(),
              options.plainProducts(),
              Optional.ofNullable(options.dtype()),
              options.device().index()));
    }
  }

  /** Opens the device and loads the weights; nothing stays open when that fails. */
  static LoadedModel load(Key key, ModelFolder folder, DeviceName device) {
    Backend backend = Backends.open(device, key.options());
    try {
      requireRoom(folder, backend, device);
      return new LoadedModel(key, Model.load(folder, backend), backend);
    } catch (RuntimeException | Error e) {
      try (backend) {
        throw e;
      }
    }
  }

  /** Says at once what a model takes that the device has no room for. */
  private static void requireRoom(ModelFolder folder, Backend backend, DeviceName device) {
    DeviceSpace space = backend.space().orElse(null);
    if (space == null) {
      return;
    }
    ModelConfig config = ModelConfig.read(folder);
    int size = backend.dtype().sizeBytes();
    long weights = Math.multiplyExact(Weights.count(config), size);
    if (weights > space.free()) {
      TextConfig text = config.text();
      throw new DeviceException(
          Failure.REFUSED,
          "model %s does not fit on %s: its weights take %,d bytes in %s, and %,d of %,d are free; expected room for them, for a step, and %,d bytes for each cached row; take a device with more memory, a smaller model (up to %.2f billion weights would fit), or end what else is on the device"
              .formatted(
                  folder.name(),
                  device,
                  weights,
                  backend.dtype(),
                  space.free(),
                  space.total(),
                  2L * text.numLayers() * text.kvSize() * size,
                  space.free() / (size * 1e9)));
    }
  }

  @Override
  public void close() {
    backend.close();
  }
}

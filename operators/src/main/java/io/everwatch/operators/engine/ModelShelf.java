// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.engine;

import io.everwatch.operators.model.ModelFolder;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Where the model of a device rests between two engines. On a GPU its weights stay when the last
 * user of an engine has gone, so that a job that starts again has its streams back in seconds;
 * rows, contexts and step memory are freed. They stay until the process ends or another model is
 * opened on the device, which then needs the memory.
 *
 * <p>Takers exclude each other (they hold the lock of {@link DeviceEngines}); an engine gives back
 * on its own thread, when it has ended.
 */
final class ModelShelf {
  private static final Logger LOG = LoggerFactory.getLogger(ModelShelf.class);

  private final boolean keeps;
  private final AtomicReference<@Nullable LoadedModel> resting = new AtomicReference<>();

  /**
   * @param keeps whether weights stay when nobody uses them
   */
  ModelShelf(boolean keeps) {
    this.keeps = keeps;
  }

  /** The model of the options: the one at rest if it is the same, else from its files. */
  LoadedModel take(EngineOptions options) {
    ModelFolder folder = ModelFolder.open(options.model());
    LoadedModel.Key key = LoadedModel.Key.of(folder, options);
    LoadedModel rested = resting.getAndSet(null);
    if (rested != null) {
      if (rested.key().equals(key)) {
        LOG.info("model {} is still on {}", folder.name(), options.device());
        return rested;
      }
      rested.close();
    }
    return LoadedModel.load(key, folder, options.device());
  }

  /**
   * From an engine that has ended.
   *
   * @param intact whether it ended because it was closed; after a failure nobody knows in what
   *     state the back end is
   */
  void giveBack(LoadedModel model, boolean intact) {
    LoadedModel surplus = keeps && intact ? resting.getAndSet(model) : model;
    if (surplus != null) {
      surplus.close();
    }
  }

  /** Frees the weights at rest. */
  void clear() {
    LoadedModel rested = resting.getAndSet(null);
    if (rested != null) {
      rested.close();
    }
  }
}

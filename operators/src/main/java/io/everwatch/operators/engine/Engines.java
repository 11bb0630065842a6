// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.engine;

import io.everwatch.kernels.Backends;
import io.everwatch.kernels.DeviceName;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Opens engines. */
public final class Engines {
  private static final Logger LOG = LoggerFactory.getLogger(Engines.class);

  /** Per process by nature: an engine holds a device and gigabytes of weights. */
  private static final Map<DeviceName, DeviceEngines> DEVICES = new ConcurrentHashMap<>();

  private Engines() {}

  /**
   * An engine of its own: loads the model, lays out its weights, starts its threads. Seconds for
   * the shipped model.
   *
   * @throws io.everwatch.operators.model.BadModelException naming everything that is wrong with the
   *     model folder or the overrides
   * @throws IllegalArgumentException when there is no such back end
   * @throws io.everwatch.kernels.DeviceException when the device cannot be used or is too small
   */
  public static Engine open(EngineOptions options) {
    EngineOptions here = here(options);
    return device(here).openAlone(here);
  }

  /**
   * The engine of this process for these options, opened by the first caller and closed when all
   * that were given it have closed theirs; a GPU's weights stay for the next ({@link ModelShelf}).
   * Each device has engines of its own. Lives in the runtime jar on the cluster's class path, so
   * that jobs in different class loaders share it (architecture §2).
   */
  public static Engine shared(EngineOptions options) {
    EngineOptions here = here(options);
    return device(here).lend(here);
  }

  private static DeviceEngines device(EngineOptions here) {
    return DEVICES.computeIfAbsent(here.device(), DeviceEngines::new);
  }

  /** The same options on a device of this machine. */
  private static EngineOptions here(EngineOptions options) {
    Backends.Choice choice = Backends.choose(options.device());
    if (choice.device().equals(options.device())) {
      return options;
    }
    LOG.info("the engine computes on {} ({})", choice.device(), choice.reason());
    return options.toBuilder().device(choice.device()).build();
  }
}

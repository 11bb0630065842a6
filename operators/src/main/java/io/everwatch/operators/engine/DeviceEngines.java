// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.engine;

import io.everwatch.kernels.DeviceName;
import java.util.HashMap;
import java.util.Map;

/**
 * The engines of one device. Opening and closing exclude each other here, and nowhere else: the
 * memory that one engine gives up is there when the next one asks, and devices do not wait for each
 * other.
 */
final class DeviceEngines {
  private final Map<EngineOptions, SharedEngine> engines = new HashMap<>(); // guarded by this
  private final ModelShelf shelf;

  DeviceEngines(DeviceName device) {
    this.shelf = new ModelShelf(!device.equals(DeviceName.CPU));
  }

  /** The engine for these options, for one more holder. */
  synchronized Engine lend(EngineOptions options) { // who comes second waits for the first to load
    SharedEngine shared = engines.get(options);
    if (shared == null) {
      shared = new SharedEngine(EngineAssembly.open(options, shelf));
      engines.put(options, shared);
    }
    return shared.lend(() -> giveBack(options));
  }

  private synchronized void giveBack(EngineOptions options) {
    SharedEngine shared = engines.get(options);
    if (shared != null && shared.returned()) {
      engines.remove(options);
      shared.close();
    }
  }

  /** An engine that nobody else is lent and that leaves nothing behind. */
  synchronized Engine openAlone(EngineOptions options) {
    shelf.clear();
    return EngineAssembly.open(options, new ModelShelf(false));
  }
}

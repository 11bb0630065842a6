// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.engine;

import io.everwatch.kernels.DeviceException;
import io.everwatch.kernels.DeviceException.Failure;
import io.everwatch.kernels.DeviceName;
import java.util.HashMap;
import java.util.Map;

/**
 * The engines of one device. Opening and closing exclude each other here, and nowhere else: the
 * memory that one engine gives up is there when the next one asks, and devices do not wait for each
 * other.
 */
final class DeviceEngines {
  private final DeviceName device;
  private final Map<EngineOptions, SharedEngine> engines = new HashMap<>(); // guarded by this
  private final ModelShelf shelf;

  DeviceEngines(DeviceName device) {
    this.device = device;
    this.shelf = new ModelShelf(!device.equals(DeviceName.CPU));
  }

  /** The engine for these options, for one more holder. */
  synchronized Engine lend(EngineOptions options) { // who comes second waits for the first to load
    SharedEngine shared = engines.get(options);
    if (shared == null) {
      shared = new SharedEngine(openBesideOthers(options));
      engines.put(options, shared);
    }
    return shared.lend(() -> giveBack(options));
  }

  /** Who finds no room is told who has it: the one before may have taken all for its rows. */
  private Engine openBesideOthers(EngineOptions options) {
    try {
      return EngineAssembly.open(options, shelf);
    } catch (DeviceException e) {
      long takers = engines.keySet().stream().filter(other -> other.kvBytes() == 0).count();
      if (e.failure() != Failure.REFUSED || takers == 0) {
        throw e;
      }
      throw new DeviceException(
          Failure.REFUSED,
          "%s; on %s other jobs of this process have engines, %d of them with all that it had left for their rows (engine.kv-memory: auto); expected each to leave room for the next; give each job its share with engine.kv-memory, or all the same model, device, threads, engine.* and streaming.*, so that they share one engine"
              .formatted(e.getMessage(), device, takers),
          e);
    }
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

// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.engine;

import java.util.HashMap;
import java.util.Map;

/** Opens engines. */
public final class Engines {
  /** Per process by nature: an engine holds a device and gigabytes of weights. */
  private static final Map<EngineOptions, SharedEngine> SHARED = new HashMap<>();

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
    return EngineAssembly.open(options);
  }

  /**
   * The engine of this process for these options, opened by the first caller and closed when all
   * that were given it have closed theirs. Lives in the runtime jar on the cluster's class path, so
   * that jobs in different class loaders share it (architecture §2).
   */
  public static Engine shared(EngineOptions options) {
    synchronized (SHARED) { // whoever comes second waits for the first to load
      SharedEngine shared = SHARED.get(options);
      if (shared == null) {
        shared = new SharedEngine(open(options));
        SHARED.put(options, shared);
      }
      return shared.lend(() -> giveBack(options));
    }
  }

  private static void giveBack(EngineOptions options) {
    SharedEngine last = null;
    synchronized (SHARED) {
      SharedEngine shared = SHARED.get(options);
      if (shared != null && shared.returned()) {
        last = SHARED.remove(options);
      }
    }
    if (last != null) {
      last.close();
    }
  }
}

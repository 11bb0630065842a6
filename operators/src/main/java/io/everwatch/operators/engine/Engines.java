// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.engine;

/** Opens engines. */
public final class Engines {
  private Engines() {}

  /**
   * An engine of its own: loads the model, lays out its weights, starts its threads. Seconds for
   * the shipped model.
   *
   * @throws IllegalArgumentException naming everything that is wrong with the model folder, the
   *     options or the overrides
   */
  public static Engine open(EngineOptions options) {
    throw new UnsupportedOperationException("not yet: " + options);
  }

  /**
   * The engine of this process for these options, opened by the first caller and closed when all
   * that were given it have closed theirs. Lives in the runtime jar on the cluster's class path, so
   * that jobs in different class loaders share it (architecture §2).
   */
  public static Engine shared(EngineOptions options) {
    throw new UnsupportedOperationException("not yet: " + options);
  }
}

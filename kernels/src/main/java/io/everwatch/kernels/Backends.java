// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels;

import java.util.List;
import java.util.ServiceLoader;

/** Finds a back end by name, in the class loader of this class: the thread's may be another. */
public final class Backends {
  private Backends() {}

  /** All providers on the class path, usable or not. */
  public static List<BackendProvider> providers() {
    return ServiceLoader.load(BackendProvider.class, Backends.class.getClassLoader()).stream()
        .map(ServiceLoader.Provider::get)
        .toList();
  }

  public static Backend open(String name, BackendOptions options) {
    return providers().stream()
        .filter(provider -> provider.name().equals(name))
        .findFirst()
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    "no back end named '"
                        + name
                        + "'; expected one of "
                        + providers().stream().map(BackendProvider::name).toList()
                        + "; is the runtime jar complete?"))
        .open(options);
  }
}

// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels;

import io.everwatch.kernels.BackendProvider.Availability;
import java.util.List;
import java.util.Optional;
import java.util.ServiceLoader;

/** Finds a back end by name, in the class loader of this class: the thread's may be another. */
public final class Backends {
  private static final String PREFERRED = "cuda";

  private Backends() {}

  /** All providers on the class path, usable or not. */
  public static List<BackendProvider> providers() {
    return ServiceLoader.load(BackendProvider.class, Backends.class.getClassLoader()).stream()
        .map(ServiceLoader.Provider::get)
        .toList();
  }

  /**
   * A device that can be opened, and why it is this one.
   *
   * @param reason for a log line: what was asked for, what was found
   */
  public record Choice(DeviceName device, String reason) {}

  /** Decides {@code auto} on this machine: a GPU when it can be used, else the CPU. */
  public static Choice choose(DeviceName wanted) {
    return choose(wanted, providers());
  }

  static Choice choose(DeviceName wanted, List<BackendProvider> providers) {
    if (!wanted.isAuto()) {
      return new Choice(wanted, "asked for");
    }
    Optional<BackendProvider> gpu =
        providers.stream().filter(provider -> provider.name().equals(PREFERRED)).findFirst();
    if (gpu.isEmpty()) {
      return new Choice(DeviceName.CPU, "auto: no back end '%s' is here".formatted(PREFERRED));
    }
    Availability found = gpu.get().availability();
    if (found.usable() && !gpu.get().preferred()) {
      return new Choice(DeviceName.CPU, "auto: %s only stands in for a GPU".formatted(PREFERRED));
    }
    return found.usable()
        ? new Choice(new DeviceName(PREFERRED, 0), "auto: " + found.detail())
        : new Choice(
            DeviceName.CPU,
            "auto: '%s' cannot be used: %s; %s"
                .formatted(PREFERRED, found.detail(), found.advice()));
  }

  /**
   * Opens a device; {@code auto} as {@link #choose} decides.
   *
   * @throws IllegalArgumentException when there is no such back end
   * @throws DeviceException when it cannot be opened; the message says what to do
   */
  public static Backend open(DeviceName device, BackendOptions options) {
    DeviceName chosen = choose(device).device();
    return provider(chosen.backend()).open(options.withDevice(chosen.index()));
  }

  /** As {@link #open(DeviceName, BackendOptions)}, by the device's name. */
  public static Backend open(String device, BackendOptions options) {
    return open(DeviceName.parse(device), options);
  }

  private static BackendProvider provider(String name) {
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
                        + "; is the runtime jar complete?"));
  }
}

// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cpu;

import io.everwatch.kernels.Backend;
import io.everwatch.kernels.BackendOptions;
import io.everwatch.kernels.BackendProvider;

/** Offers {@code cpu}; runs everywhere, with plain products where the library cannot be loaded. */
public final class CpuBackendProvider implements BackendProvider {
  @Override
  public String name() {
    return "cpu";
  }

  @Override
  public Availability availability() {
    return new Availability(true, "plain java f32", "");
  }

  @Override
  public Backend open(BackendOptions options) {
    return new CpuBackend(options);
  }
}

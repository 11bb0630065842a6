// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cuda;

import io.everwatch.kernels.Backend;
import io.everwatch.kernels.BackendOptions;
import io.everwatch.kernels.BackendProvider;
import io.everwatch.kernels.DType;

/** Offers {@code cuda}: NVIDIA GPUs. */
public final class CudaBackendProvider implements BackendProvider {
  /**
   * With {@code -Deverwatch.cuda.graphs=false} decode passes are launched kernel by kernel, so that
   * a fault has the name of its kernel; slower, and the same bits.
   */
  private static final String GRAPHS = "everwatch.cuda.graphs";

  @Override
  public String name() {
    return CudaBackend.NAME;
  }

  @Override
  public Availability availability() {
    return CudaAvailability.of(
        CudaDriver.probe(), KernelImages.standard(), KernelBuild.everything());
  }

  /** Nobody gets the stand-in driver, which is for tests, without asking for it. */
  @Override
  public boolean preferred() {
    return CudaLibrary.emulation().isEmpty() && availability().usable();
  }

  @Override
  public Backend open(BackendOptions options) {
    return new CudaBackend(
        CudaDevice.open(options.device()),
        options.dtype().orElse(DType.BF16),
        !"false".equals(System.getProperty(GRAPHS)));
  }
}

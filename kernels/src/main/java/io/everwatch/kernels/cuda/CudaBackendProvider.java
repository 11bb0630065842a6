// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cuda;

import io.everwatch.kernels.Backend;
import io.everwatch.kernels.BackendOptions;
import io.everwatch.kernels.BackendProvider;
import io.everwatch.kernels.DeviceException;

/** Says what the machine's GPU and driver are; this release computes on the CPU only. */
public final class CudaBackendProvider implements BackendProvider {
  private static final String USE_CPU = "use the back end 'cpu'";

  @Override
  public String name() {
    return "cuda";
  }

  @Override
  public Availability availability() {
    CudaDriver driver = CudaDriver.probe();
    return new Availability(
        false,
        driver.detail(),
        "this release has the CPU back end only; "
            + USE_CPU
            + (driver.present() ? "" : "; " + driver.advice()));
  }

  /** Nobody gets the stand-in driver, which is for tests, without asking for it. */
  @Override
  public boolean preferred() {
    return CudaLibrary.emulation().isEmpty() && availability().usable();
  }

  @Override
  public Backend open(BackendOptions options) {
    throw new DeviceException(
        DeviceException.Failure.REFUSED,
        "cannot open the back end 'cuda' (%s): this release has the CPU back end only; %s"
            .formatted(CudaDriver.probe().detail(), USE_CPU));
  }
}

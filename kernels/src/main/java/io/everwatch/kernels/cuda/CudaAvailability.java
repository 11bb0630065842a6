// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cuda;

import io.everwatch.kernels.BackendProvider.Availability;
import java.util.List;

/** Whether this machine's GPUs can be computed on, and if not, what to do. */
final class CudaAvailability {
  private static final String ELSE = "; without a GPU use the device 'cpu'";

  private CudaAvailability() {}

  /**
   * @param families kernels that must be there
   */
  static Availability of(CudaDriver driver, KernelImages images, List<String> families) {
    if (!driver.present()) {
      return new Availability(false, driver.detail(), driver.advice() + ELSE);
    }
    List<String> missing = families.stream().filter(family -> !images.has(family)).toList();
    if (!missing.isEmpty()) {
      return new Availability(
          false,
          "%s; no compiled kernels for %s (%d of %d)"
              .formatted(
                  driver.detail(), String.join(", ", missing), missing.size(), families.size()),
          KernelImages.BUILD + ELSE);
    }
    return new Availability(true, driver.detail(), "");
  }
}

// SPDX-License-Identifier: Apache-2.0
package io.everwatch.benchmarks.gpu;

import io.everwatch.kernels.Backend;
import io.everwatch.kernels.BackendOptions;
import io.everwatch.kernels.Backends;
import io.everwatch.kernels.DType;
import io.everwatch.kernels.DeviceName;
import java.nio.file.Path;

/**
 * How a part is run.
 *
 * @param device on which; a CPU's figures only show that a part runs
 * @param directory for results
 * @param data with {@code golden/} and {@code flexprefill/}: the golden cases
 */
record Check(DeviceName device, Shapes shapes, Timing timing, Path directory, Path data) {
  /** The back end of the device in its own type. */
  Backend open() {
    return Backends.open(device, BackendOptions.defaults());
  }

  /** The same in another type. */
  Backend open(DType dtype) {
    return Backends.open(device, BackendOptions.defaults().withDtype(dtype));
  }

  /** Whether it is the stand-in driver's. */
  boolean emulated() {
    return !System.getProperty("everwatch.cuda.emulation", "").isEmpty();
  }

  boolean onGpu() {
    return device.backend().equals("cuda");
  }
}

// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.process;

import io.everwatch.kernels.Backend;
import io.everwatch.kernels.BackendOptions;
import io.everwatch.kernels.BackendProvider;
import io.everwatch.kernels.Backends;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** GPUs on paper, as many as one likes: the CPU computes, and the log says which was opened. */
public final class PaperGpuProvider implements BackendProvider {
  private static final Logger LOG = LoggerFactory.getLogger(PaperGpuProvider.class);

  /** Begins the line of the log; the index follows. */
  static final String OPENED = "opened paper GPU ";

  @Override
  public String name() {
    return "cuda";
  }

  @Override
  public Availability availability() {
    return new Availability(true, "a GPU on paper", "");
  }

  @Override
  public Backend open(BackendOptions options) {
    LOG.info("{}{}", OPENED, options.device());
    return Backends.open("cpu", options.withDevice(0));
  }
}

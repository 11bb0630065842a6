// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cuda;

import org.jspecify.annotations.Nullable;

/**
 * Device memory of a pool for attention over chosen blocks: none until a batch needs it, then as
 * much as the largest batch so far. One thread.
 */
final class SparseScratch implements AutoCloseable {
  private final CudaStream stream;
  private @Nullable DeviceMemory memory;

  SparseScratch(CudaStream stream) {
    this.stream = stream;
  }

  /**
   * Sees that there is room; what was in it is lost if there was not.
   *
   * @throws io.everwatch.kernels.DeviceException of class REFUSED when memory is short
   */
  void require(long bytes) {
    if (memory != null && memory.bytes() >= bytes) {
      return;
    }
    if (memory != null) {
      stream.synchronize(); // kernels of the last pass use it
      close();
    }
    memory = DeviceMemory.allocate(stream.device(), bytes, "sparse prefill");
  }

  long address() {
    if (memory == null) {
      throw new IllegalStateException("sparse prefill: its memory is used before it was asked for");
    }
    return memory.address();
  }

  @Override
  public void close() {
    if (memory != null) {
      memory.close();
      memory = null;
    }
  }
}

// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cuda;

import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * Page-locked memory that the host fills in and its copy on the device, with room behind it for
 * what kernels compute from it.
 */
final class StepBlock implements AutoCloseable {
  private final CudaStream stream;
  private final CudaEvent copied;
  private @Nullable PinnedBuffer host;
  private @Nullable DeviceMemory device;

  /**
   * @param stream on which it is copied and used
   */
  StepBlock(CudaStream stream) {
    this.stream = stream;
    this.copied = CudaEvent.open(stream.device());
  }

  /**
   * Waits until the host may write, and sees that there is room; what was in it is lost, and its
   * address changes if there was not. Neither part ever shrinks: passes of long contexts and few
   * rows take turns with their opposites, and shall not take memory each time.
   *
   * @param copied bytes that the host fills in
   * @param computed bytes behind them
   * @param spare share of both that is taken on top when the block grows
   */
  void begin(long copied, long computed, double spare) {
    this.copied.await();
    long hadCopied = 0;
    long hadComputed = 0;
    if (host != null && device != null) {
      hadCopied = host.size();
      hadComputed = device.bytes() - computedAt();
      if (copied <= hadCopied && computed <= hadComputed) {
        return;
      }
      stream.synchronize(); // kernels of the last pass read it
      free();
    }
    int size = Math.toIntExact(Math.max(hadCopied, (long) (copied * (1 + spare))));
    long behind = Math.max(hadComputed, Slab.padded(1 + (long) (computed * (1 + spare))));
    host = PinnedBuffer.allocate(stream.device(), size, "step tables");
    device = DeviceMemory.allocate(stream.device(), Slab.padded(size) + behind, "step tables");
  }

  ByteBuffer bytes() {
    return host().bytes();
  }

  long address() {
    return device().address();
  }

  /** Address of what is computed. */
  long computedAddress() {
    return device().address() + computedAt();
  }

  private long computedAt() {
    return Slab.padded(host().size());
  }

  /** Copies the first {@code count} bytes. */
  void upload(long count) {
    stream.uploadTable(host(), 0, device().address(), count);
    copied.record(stream);
  }

  private PinnedBuffer host() {
    if (host == null) {
      throw new IllegalStateException("step tables are used before they were filled in");
    }
    return host;
  }

  private DeviceMemory device() {
    if (device == null) {
      throw new IllegalStateException("step tables are used before they were filled in");
    }
    return device;
  }

  private void free() {
    try (DeviceMemory oldDevice = device;
        PinnedBuffer oldHost = host) {
      device = null;
      host = null;
    }
  }

  @Override
  public void close() {
    try (copied) {
      free();
    }
  }
}

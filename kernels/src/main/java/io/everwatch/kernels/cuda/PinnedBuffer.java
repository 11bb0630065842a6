// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cuda;

import io.everwatch.kernels.DeviceException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import jcuda.Pointer;
import jcuda.driver.JCudaDriver;

/**
 * Page-locked host memory, from and to which the device copies by itself. A copy that has not been
 * waited for reads or writes it at any time.
 */
final class PinnedBuffer implements AutoCloseable {
  private final CudaDevice device;
  private final Pointer pointer;
  private final ByteBuffer bytes;
  private boolean freed;

  private PinnedBuffer(CudaDevice device, Pointer pointer, ByteBuffer bytes) {
    this.device = device;
    this.pointer = pointer;
    this.bytes = bytes;
    device.own(this);
  }

  /**
   * Allocates; the content is undefined.
   *
   * @throws DeviceException of class REFUSED when the machine gives no page-locked memory
   */
  static PinnedBuffer allocate(CudaDevice device, int size, String what) {
    Pointer pointer = new Pointer();
    device.check(
        JCudaDriver.cuMemHostAlloc(pointer, size, 0),
        "%s: cuMemHostAlloc of %,d bytes of page-locked memory",
        what,
        size);
    return new PinnedBuffer(
        device, pointer, pointer.getByteBuffer(0, size).order(ByteOrder.nativeOrder()));
  }

  /** All of it, in the machine's byte order; position and limit are the caller's to use. */
  ByteBuffer bytes() {
    if (freed) {
      throw new IllegalStateException("pinned memory is used after it was freed");
    }
    return bytes;
  }

  int size() {
    return bytes.capacity();
  }

  Pointer pointer(long at) {
    return at == 0 ? pointer : pointer.withByteOffset(at);
  }

  /** Throws unless {@code [at, at + count)} lies inside. */
  void checkRange(long at, long count) {
    if (freed || at < 0 || count < 0 || at + count > bytes.capacity()) {
      throw new IllegalArgumentException(
          "bytes [%,d, %,d) of a pinned buffer of %,d%s"
              .formatted(at, at + count, bytes.capacity(), freed ? ", freed before" : ""));
    }
  }

  @Override
  public void close() {
    if (!freed) {
      freed = true;
      device.disown(this);
      device.giveBack("cuMemFreeHost", () -> JCudaDriver.cuMemFreeHost(pointer));
    }
  }
}

// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cuda;

import io.everwatch.kernels.DeviceException;
import jcuda.driver.CUresult;
import jcuda.driver.JCudaDriver;

/**
 * One allocation on a device, aligned to 256 bytes. The device's memory is cut up by {@link Slab}.
 */
final class DeviceMemory implements AutoCloseable {
  private final CudaDevice device;
  private final DevicePointer pointer;
  private final long bytes;
  private boolean freed;

  private DeviceMemory(CudaDevice device, DevicePointer pointer, long bytes) {
    this.device = device;
    this.pointer = pointer;
    this.bytes = bytes;
    device.own(this);
  }

  /**
   * Allocates; the content is undefined.
   *
   * @param what for the message: "weights", "row pool"
   * @throws DeviceException of class REFUSED when the device has no memory left
   */
  static DeviceMemory allocate(CudaDevice device, long bytes, String what) {
    if (bytes < 1) {
      throw new IllegalArgumentException(what + ": cannot allocate " + bytes + " bytes");
    }
    DevicePointer pointer = new DevicePointer();
    int status = JCudaDriver.cuMemAlloc(pointer, bytes);
    if (status == CUresult.CUDA_ERROR_OUT_OF_MEMORY) {
      throw device.failure(
          status,
          "%s: cannot allocate %,d bytes, %,d of %,d are free"
              .formatted(what, bytes, device.freeBytes(), device.totalBytes()));
    }
    device.check(status, "%s: cuMemAlloc of %,d bytes", what, bytes);
    return new DeviceMemory(device, pointer, bytes);
  }

  long address() {
    if (freed) {
      throw new IllegalStateException("device memory is used after it was freed");
    }
    return pointer.address();
  }

  long bytes() {
    return bytes;
  }

  @Override
  public void close() {
    if (!freed) {
      freed = true;
      device.disown(this);
      device.giveBack("cuMemFree", () -> JCudaDriver.cuMemFree(pointer));
    }
  }
}

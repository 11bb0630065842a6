// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cuda;

import io.everwatch.kernels.DeviceException;
import jcuda.driver.CUevent;
import jcuda.driver.CUevent_flags;
import jcuda.driver.CUresult;
import jcuda.driver.JCudaDriver;

/** A point in a stream's work that others can wait for. */
final class CudaEvent implements AutoCloseable {
  private final CudaDevice device;
  private final CUevent handle = new CUevent();
  private boolean destroyed;

  private CudaEvent(CudaDevice device, int flags) {
    this.device = device;
    device.check(JCudaDriver.cuEventCreate(handle, flags), "cuEventCreate");
    device.own(this);
  }

  /** An event without a clock, which is cheaper; whoever waits sleeps instead of spinning. */
  static CudaEvent open(CudaDevice device) {
    return new CudaEvent(
        device, CUevent_flags.CU_EVENT_DISABLE_TIMING | CUevent_flags.CU_EVENT_BLOCKING_SYNC);
  }

  /** An event that knows when it was reached. */
  static CudaEvent timing(CudaDevice device) {
    return new CudaEvent(device, CUevent_flags.CU_EVENT_DEFAULT);
  }

  CUevent handle() {
    return handle;
  }

  /** Stands for all work put into {@code stream} so far; an earlier record is forgotten. */
  void record(CudaStream stream) {
    device.check(JCudaDriver.cuEventRecord(handle, stream.handle()), "cuEventRecord");
  }

  /**
   * Waits until the last record is reached; at once if there was none.
   *
   * @throws DeviceException of class LOST when a kernel before it failed
   */
  void await() {
    device.check(JCudaDriver.cuEventSynchronize(handle), "cuEventSynchronize");
  }

  /** Whether the last record is reached; does not wait. */
  boolean isDone() {
    int status = JCudaDriver.cuEventQuery(handle);
    if (status == CUresult.CUDA_ERROR_NOT_READY) {
      return false;
    }
    device.check(status, "cuEventQuery");
    return true;
  }

  /** Milliseconds of the device between two timing events, both reached. */
  float millisSince(CudaEvent earlier) {
    float[] millis = new float[1];
    device.check(
        JCudaDriver.cuEventElapsedTime(millis, earlier.handle, handle), "cuEventElapsedTime");
    return millis[0];
  }

  @Override
  public void close() {
    if (!destroyed) {
      destroyed = true;
      device.disown(this);
      device.giveBack("cuEventDestroy", () -> JCudaDriver.cuEventDestroy(handle));
    }
  }
}

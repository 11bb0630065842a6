// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cuda;

import io.everwatch.kernels.DeviceException;
import jcuda.driver.CUresult;
import jcuda.driver.CUstream;
import jcuda.driver.CUstream_flags;
import jcuda.driver.JCudaDriver;

/**
 * A queue of device work: launches and copies run in the order in which they were put in. Not
 * ordered with other streams but by {@link CudaEvent}, nor with {@link BlockingCopies} but by
 * {@link #synchronize}. The calls return at once unless they say that they wait.
 */
final class CudaStream implements AutoCloseable {
  private final CudaDevice device;
  private final CUstream handle = new CUstream();
  private final StreamCounters counters = new StreamCounters();
  private boolean destroyed;

  private CudaStream(CudaDevice device) {
    this.device = device;
    device.check(
        JCudaDriver.cuStreamCreate(handle, CUstream_flags.CU_STREAM_NON_BLOCKING),
        "cuStreamCreate");
    device.own(this);
  }

  static CudaStream open(CudaDevice device) {
    return new CudaStream(device);
  }

  CudaDevice device() {
    return device;
  }

  /** For {@link Kernel} and graph capture. */
  CUstream handle() {
    return handle;
  }

  /** What was put in so far. */
  StreamCounters counters() {
    return counters;
  }

  /** Host to device: {@code from[at, at + count)} to {@code address}. */
  void upload(PinnedBuffer from, long at, long address, long count) {
    counters.copiedOther();
    copyIn(from, at, address, count);
  }

  /** As {@link #upload}, of the tables of a pass. */
  void uploadTable(PinnedBuffer from, long at, long address, long count) {
    counters.copiedTable();
    copyIn(from, at, address, count);
  }

  private void copyIn(PinnedBuffer from, long at, long address, long count) {
    from.checkRange(at, count);
    if (count > 0) {
      int status =
          JCudaDriver.cuMemcpyHtoDAsync(DevicePointer.of(address), from.pointer(at), count, handle);
      if (status != CUresult.CUDA_SUCCESS) {
        throw device.failure(status, "copy of %,d bytes to 0x%x".formatted(count, address));
      }
    }
  }

  /** Device to host: {@code count} bytes at {@code address} to {@code to[at, at + count)}. */
  void download(long address, PinnedBuffer to, long at, long count) {
    to.checkRange(at, count);
    if (count > 0) {
      counters.copiedResult();
      int status =
          JCudaDriver.cuMemcpyDtoHAsync(to.pointer(at), DevicePointer.of(address), count, handle);
      if (status != CUresult.CUDA_SUCCESS) {
        throw device.failure(status, "copy of %,d bytes from 0x%x".formatted(count, address));
      }
    }
  }

  /** Device to device; the ranges may not overlap. */
  void copy(long from, long to, long count) {
    if (count > 0) {
      int status =
          JCudaDriver.cuMemcpyDtoDAsync(
              DevicePointer.of(to), DevicePointer.of(from), count, handle);
      if (status != CUresult.CUDA_SUCCESS) {
        throw device.failure(
            status, "copy of %,d bytes from 0x%x to 0x%x".formatted(count, from, to));
      }
    }
  }

  /** Sets {@code count} bytes. */
  void fill(long address, byte value, long count) {
    if (count > 0) {
      int status = JCudaDriver.cuMemsetD8Async(DevicePointer.of(address), value, count, handle);
      if (status != CUresult.CUDA_SUCCESS) {
        throw device.failure(status, "setting %,d bytes at 0x%x".formatted(count, address));
      }
    }
  }

  /** What is put in from now on runs after {@code event}'s last record. */
  void waitFor(CudaEvent event) {
    device.check(JCudaDriver.cuStreamWaitEvent(handle, event.handle(), 0), "cuStreamWaitEvent");
  }

  /**
   * Waits until all of this stream's work is done.
   *
   * @throws DeviceException of class LOST when one of its kernels failed
   */
  void synchronize() {
    device.check(JCudaDriver.cuStreamSynchronize(handle), "cuStreamSynchronize");
  }

  /** Whether all of this stream's work is done; does not wait. */
  boolean isDone() {
    int status = JCudaDriver.cuStreamQuery(handle);
    if (status == CUresult.CUDA_ERROR_NOT_READY) {
      return false;
    }
    device.check(status, "cuStreamQuery");
    return true;
  }

  @Override
  public void close() {
    if (!destroyed) {
      destroyed = true;
      device.disown(this);
      device.giveBack("cuStreamDestroy", () -> JCudaDriver.cuStreamDestroy(handle));
    }
  }
}

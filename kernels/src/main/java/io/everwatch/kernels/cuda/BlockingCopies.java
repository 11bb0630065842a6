// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cuda;

import java.nio.Buffer;
import java.nio.ByteBuffer;
import jcuda.Pointer;
import jcuda.driver.CUstream;
import jcuda.driver.JCudaDriver;

/**
 * Copies between arrays of the heap and the device that return when they are done: for loading, and
 * for tests. Not ordered with {@link CudaStream}s: wait for those before reading what they wrote.
 */
final class BlockingCopies {
  private static final CUstream DEFAULT_STREAM = new CUstream();

  private final CudaDevice device;

  BlockingCopies(CudaDevice device) {
    this.device = device;
  }

  void write(long address, float[] from) {
    in(address, Pointer.to(from), 4L * from.length);
  }

  void write(long address, int[] from) {
    in(address, Pointer.to(from), 4L * from.length);
  }

  void write(long address, short[] from) {
    in(address, Pointer.to(from), 2L * from.length);
  }

  void write(long address, long[] from) {
    in(address, Pointer.to(from), 8L * from.length);
  }

  void write(long address, byte[] from) {
    in(address, Pointer.to(from), from.length);
  }

  /** Position to limit. */
  void write(long address, ByteBuffer from) {
    in(address, pointer(from), from.remaining());
  }

  void read(long address, float[] to) {
    out(address, Pointer.to(to), 4L * to.length);
  }

  void read(long address, int[] to) {
    out(address, Pointer.to(to), 4L * to.length);
  }

  void read(long address, short[] to) {
    out(address, Pointer.to(to), 2L * to.length);
  }

  void read(long address, long[] to) {
    out(address, Pointer.to(to), 8L * to.length);
  }

  void read(long address, byte[] to) {
    out(address, Pointer.to(to), to.length);
  }

  private static Pointer pointer(Buffer buffer) {
    return Pointer.toBuffer(buffer);
  }

  private void in(long address, Pointer from, long bytes) {
    if (bytes > 0) {
      device.check(
          JCudaDriver.cuMemcpyHtoD(DevicePointer.of(address), from, bytes),
          "copy of %,d bytes to 0x%x",
          bytes,
          address);
      // From pageable memory the driver may return when it has a copy of its own.
      device.check(JCudaDriver.cuStreamSynchronize(DEFAULT_STREAM), "cuStreamSynchronize");
    }
  }

  private void out(long address, Pointer to, long bytes) {
    if (bytes > 0) {
      device.check(
          JCudaDriver.cuMemcpyDtoH(to, DevicePointer.of(address), bytes),
          "copy of %,d bytes from 0x%x",
          bytes,
          address);
    }
  }
}

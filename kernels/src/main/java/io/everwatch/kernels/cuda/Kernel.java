// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cuda;

import static jcuda.driver.CUfunction_attribute.CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES;

import io.everwatch.kernels.DeviceException;
import jcuda.driver.CUfunction;
import jcuda.driver.CUresult;
import jcuda.driver.JCudaDriver;

/**
 * A kernel that can be launched. Checks nothing but what the driver checks: its launcher class
 * knows the contract. Belongs to one thread at a time, since its {@link Args} are shared by all
 * launches.
 */
final class Kernel {
  // Without being asked the driver gives no more.
  private static final int DEFAULT_SHARED_BYTES = 48 * 1024;

  private final CudaDevice device;
  private final String name;
  private final CUfunction function;
  private final Args args = new Args();
  private int allowedSharedBytes = DEFAULT_SHARED_BYTES;

  Kernel(CudaDevice device, String name, CUfunction function) {
    this.device = device;
    this.name = name;
    this.function = function;
  }

  /** This kernel's argument block, emptied. */
  Args args() {
    return args.clear();
  }

  /**
   * Launches; the work is done when the stream says so. Errors of the call itself are thrown here,
   * errors of the run by a later call on the device.
   *
   * @param block threads per block
   * @param sharedBytes dynamic shared memory per block
   * @param args in the order of the kernel's parameters; may be written again after the call
   * @throws DeviceException with kernel, grid, block, shared bytes and arguments
   */
  void launch(
      CudaStream stream, int gridX, int gridY, int gridZ, int block, int sharedBytes, Args args) {
    if (sharedBytes > allowedSharedBytes) {
      allow(sharedBytes);
    }
    int status =
        JCudaDriver.cuLaunchKernel(
            function,
            gridX,
            gridY,
            gridZ,
            block,
            1,
            1,
            sharedBytes,
            stream.handle(),
            null,
            args.extra());
    stream.counters().launched();
    device.launches().add(name, gridX, gridY, gridZ, block, sharedBytes, args);
    if (status != CUresult.CUDA_SUCCESS) {
      Launch launch = new Launch();
      launch.set(name, gridX, gridY, gridZ, block, sharedBytes, args);
      throw device.failure(status, "launch of " + launch);
    }
  }

  private void allow(int sharedBytes) {
    device.check(
        JCudaDriver.cuFuncSetAttribute(
            function, CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES, sharedBytes),
        "kernel %s: %,d bytes of dynamic shared memory; the device has %,d per block",
        name,
        sharedBytes,
        device.maxSharedBytes());
    allowedSharedBytes = sharedBytes;
  }
}

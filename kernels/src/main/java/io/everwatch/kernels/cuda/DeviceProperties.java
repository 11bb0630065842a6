// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cuda;

import static jcuda.driver.CUdevice_attribute.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR;
import static jcuda.driver.CUdevice_attribute.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR;
import static jcuda.driver.CUdevice_attribute.CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN;
import static jcuda.driver.CUdevice_attribute.CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT;

import io.everwatch.kernels.DeviceException;
import java.nio.charset.StandardCharsets;
import jcuda.driver.CUdevice;
import jcuda.driver.CUresult;
import jcuda.driver.JCudaDriver;

/**
 * What a device is; asking needs no context.
 *
 * @param computeCapability times ten: 80 for 8.0
 * @param maxSharedBytes most dynamic shared memory that one block may have
 */
record DeviceProperties(
    int index,
    String name,
    int computeCapability,
    int multiprocessors,
    int maxSharedBytes,
    long totalBytes) {
  /** Tensor cores with bf16, asynchronous copies: below it there are no kernels. */
  static final int NEEDED_CAPABILITY = 80;

  static final String NEEDED =
      "needs a GPU of compute capability %s or later (Ampere: A100, A10, RTX 30 and newer)"
          .formatted(capability(NEEDED_CAPABILITY));

  /**
   * Asks the driver, which must have been initialised.
   *
   * @throws DeviceException when it does not answer
   */
  static DeviceProperties of(int index) {
    CUdevice handle = new CUdevice();
    check(JCudaDriver.cuDeviceGet(handle, index), index, "cuDeviceGet");
    byte[] text = new byte[256];
    check(JCudaDriver.cuDeviceGetName(text, text.length, handle), index, "cuDeviceGetName");
    int length = 0;
    while (length < text.length && text[length] != 0) {
      length++;
    }
    long[] bytes = new long[1];
    check(JCudaDriver.cuDeviceTotalMem(bytes, handle), index, "cuDeviceTotalMem");
    return new DeviceProperties(
        index,
        new String(text, 0, length, StandardCharsets.UTF_8),
        10 * attribute(handle, index, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR)
            + attribute(handle, index, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR),
        attribute(handle, index, CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT),
        attribute(handle, index, CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN),
        bytes[0]);
  }

  private static int attribute(CUdevice handle, int index, int attribute) {
    int[] value = new int[1];
    check(
        JCudaDriver.cuDeviceGetAttribute(value, attribute, handle), index, "cuDeviceGetAttribute");
    return value[0];
  }

  private static void check(int status, int index, String what) {
    if (status != CUresult.CUDA_SUCCESS) {
      throw new DeviceException(
          CudaStatus.classOf(status),
          "device %d: %s: %s; %s"
              .formatted(index, what, CudaStatus.describe(status), CudaStatus.advice(status)));
    }
  }

  boolean hasKernels() {
    return computeCapability >= NEEDED_CAPABILITY;
  }

  /** {@code 8.0}. */
  static String capability(int timesTen) {
    return timesTen / 10 + "." + timesTen % 10;
  }

  @Override
  public String toString() {
    return "%d: %s, compute capability %s, %.1f GiB"
        .formatted(index, name, capability(computeCapability), totalBytes / 1073741824.0);
  }
}

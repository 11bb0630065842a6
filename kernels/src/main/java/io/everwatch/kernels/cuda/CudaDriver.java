// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cuda;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import jcuda.driver.CUdevice;
import jcuda.driver.CUdevice_attribute;
import jcuda.driver.CUresult;
import jcuda.driver.JCudaDriver;

/**
 * What the driver says of itself and its devices.
 *
 * @param present whether the driver answers and has at least one device
 * @param detail one line: version and devices, or why there are none
 * @param advice what to do where not present; empty otherwise
 */
record CudaDriver(boolean present, String detail, String advice) {
  private static final String INSTALL =
      "for a GPU install NVIDIA's driver, release 580 or later (`nvidia-smi` must work)";

  /** Asked once per process: after a failure JCuda's class cannot be initialised again. */
  private static final class Once {
    static final CudaDriver ANSWER = ask();
  }

  /** Never throws. */
  static CudaDriver probe() {
    return Once.ANSWER;
  }

  private static CudaDriver ask() {
    return CudaLibrary.failure()
        .map(e -> absent("no CUDA driver: " + firstLine(e)))
        .orElseGet(CudaDriver::askDriver);
  }

  private static CudaDriver askDriver() {
    int status = JCudaDriver.cuInit(0);
    if (status != CUresult.CUDA_SUCCESS) {
      return absent("cuInit returned " + CUresult.stringFor(status));
    }
    int[] version = new int[1];
    int[] count = new int[1];
    status = JCudaDriver.cuDriverGetVersion(version);
    if (status == CUresult.CUDA_SUCCESS) {
      status = JCudaDriver.cuDeviceGetCount(count);
    }
    if (status != CUresult.CUDA_SUCCESS) {
      return absent("the CUDA driver returned " + CUresult.stringFor(status));
    }
    String driver = "CUDA %d.%d".formatted(version[0] / 1000, version[0] % 1000 / 10);
    if (count[0] == 0) {
      return absent(driver + ", but no device");
    }
    List<String> devices = new ArrayList<>();
    for (int i = 0; i < count[0]; i++) {
      devices.add(device(i));
    }
    return new CudaDriver(true, driver + ": " + String.join(", ", devices), "");
  }

  private static String device(int index) {
    CUdevice device = new CUdevice();
    byte[] name = new byte[256];
    long[] bytes = new long[1];
    int[] major = new int[1];
    int[] minor = new int[1];
    int status = JCudaDriver.cuDeviceGet(device, index);
    if (status == CUresult.CUDA_SUCCESS) {
      status = JCudaDriver.cuDeviceGetName(name, name.length, device);
    }
    if (status == CUresult.CUDA_SUCCESS) {
      status = JCudaDriver.cuDeviceTotalMem(bytes, device);
    }
    if (status != CUresult.CUDA_SUCCESS) {
      return "device %d: %s".formatted(index, CUresult.stringFor(status));
    }
    JCudaDriver.cuDeviceGetAttribute(
        major, CUdevice_attribute.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR, device);
    JCudaDriver.cuDeviceGetAttribute(
        minor, CUdevice_attribute.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR, device);
    int length = 0;
    while (length < name.length && name[length] != 0) {
      length++;
    }
    return "%s, compute capability %d.%d, %.1f GiB"
        .formatted(
            new String(name, 0, length, StandardCharsets.UTF_8),
            major[0],
            minor[0],
            bytes[0] / 1073741824.0);
  }

  private static CudaDriver absent(String why) {
    return new CudaDriver(false, why, INSTALL);
  }

  /** JCuda's message holds a whole stack trace; what went wrong stands in one of its lines. */
  private static String firstLine(Throwable e) {
    String message = String.valueOf(e.getMessage());
    return message
        .lines()
        .filter(line -> line.contains("libcuda"))
        .map(line -> line.substring(line.indexOf("libcuda")).strip())
        .findFirst()
        .orElseGet(
            () -> e.getClass().getSimpleName() + ": " + message.lines().findFirst().orElse(""));
  }
}

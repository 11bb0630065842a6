// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cuda;

import io.everwatch.kernels.DeviceException;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import jcuda.driver.CUresult;
import jcuda.driver.JCudaDriver;

/**
 * What the driver says of itself and its devices.
 *
 * @param present whether kernels can run on at least one device
 * @param detail one line: version and devices, or why there are none
 * @param advice what to do where not present; empty otherwise
 * @param count devices that it shows this process
 */
record CudaDriver(boolean present, String detail, String advice, int count) {
  /**
   * CUDA 13.0, whose compiler makes the fat binaries; NVIDIA's release 580 is the first with it.
   */
  static final int NEEDED_VERSION = 13000;

  private static final String INSTALL =
      "for a GPU install NVIDIA's driver, release 580 or later (`nvidia-smi` must work)";

  /**
   * Asks anew each time, except for what cannot change: whether the library is there. Never throws.
   */
  static CudaDriver probe() {
    return CudaLibrary.failure()
        .map(e -> absent("no CUDA driver: " + reason(e), INSTALL))
        .orElseGet(CudaDriver::ask);
  }

  private static CudaDriver ask() {
    int[] version = new int[1];
    int status = JCudaDriver.cuDriverGetVersion(version);
    if (status != CUresult.CUDA_SUCCESS) {
      return absent("the CUDA driver returned " + CudaStatus.describe(status), INSTALL);
    }
    String driver = "CUDA " + version(version[0]);
    if (version[0] < NEEDED_VERSION) {
      return absent(
          "the driver is of %s; the kernels need %s"
              .formatted(driver, "CUDA " + version(NEEDED_VERSION)),
          INSTALL);
    }
    status = JCudaDriver.cuInit(0);
    if (status == CUresult.CUDA_ERROR_NO_DEVICE) {
      return noDevice(driver);
    }
    int[] count = new int[1];
    if (status == CUresult.CUDA_SUCCESS) {
      status = JCudaDriver.cuDeviceGetCount(count);
    }
    if (status != CUresult.CUDA_SUCCESS) {
      return absent(
          "%s, but it returned %s".formatted(driver, CudaStatus.describe(status)),
          CudaStatus.advice(status));
    }
    return count[0] == 0 ? noDevice(driver) : devices(driver, count[0]);
  }

  private static CudaDriver noDevice(String driver) {
    String visible = System.getenv("CUDA_VISIBLE_DEVICES");
    return absent(
        driver + ", but no device",
        visible == null
            ? "`nvidia-smi` must list one; in a container give it the GPU (`--gpus`)"
            : "CUDA_VISIBLE_DEVICES is '%s': let it name a device that `nvidia-smi` lists"
                .formatted(visible));
  }

  private static CudaDriver devices(String driver, int count) {
    List<String> words = new ArrayList<>();
    boolean usable = false;
    for (int i = 0; i < count; i++) {
      try {
        DeviceProperties device = DeviceProperties.of(i);
        words.add(device + (device.hasKernels() ? "" : " (too old)"));
        usable |= device.hasKernels();
      } catch (DeviceException e) {
        words.add(String.valueOf(e.getMessage()));
      }
    }
    String detail = words.stream().collect(Collectors.joining("; ", driver + "; ", ""));
    return new CudaDriver(usable, detail, usable ? "" : DeviceProperties.NEEDED, count);
  }

  /** {@code 13.0} for 13000. */
  private static String version(int number) {
    return number / 1000 + "." + number % 1000 / 10;
  }

  private static CudaDriver absent(String why, String advice) {
    return new CudaDriver(false, why, advice, 0);
  }

  /**
   * The binding's message holds a whole stack trace; what went wrong stands in one of its lines.
   */
  static String reason(Throwable e) {
    if (e instanceof DeviceException) {
      return String.valueOf(e.getMessage());
    }
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

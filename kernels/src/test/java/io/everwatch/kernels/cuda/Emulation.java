// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cuda;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import jcuda.driver.CUmodule;
import jcuda.driver.CUresult;
import jcuda.driver.JCudaDriver;

/**
 * The stand-in driver's settings, for tests of all modules. They hold for the whole process until
 * {@link #reset}, which {@link EnabledOnEmulation} and {@link RequiresDevice} call around each
 * test.
 *
 * <table>
 *   <caption>Settings</caption>
 *   <tr><td>{@code order}</td><td>{@code forward}, {@code reverse}, {@code random:SEED}: in which
 *       order threads, warps and blocks run</td></tr>
 *   <tr><td>{@code cpasync}</td><td>{@code late}, {@code early}: when asynchronous copies land</td></tr>
 *   <tr><td>{@code streams}</td><td>{@code eager}, {@code lazy}: lazy work runs when somebody waits
 *       </td></tr>
 *   <tr><td>{@code null}</td><td>{@code 1}: launches do nothing</td></tr>
 * </table>
 */
public final class Emulation {
  private static final String[] DEFAULTS = {
    "order=forward", "cpasync=late", "streams=eager", "null=0"
  };

  private Emulation() {}

  /** Whether this process has the stand-in driver. */
  public static boolean isPresent() {
    return CudaLibrary.emulation()
            .filter(folder -> Files.exists(folder.resolve("libcuda.so.1")))
            .isPresent()
        && CudaLibrary.failure().isEmpty();
  }

  /** Changes settings: {@code set("order=reverse", "streams=lazy")}. */
  public static void set(String... settings) {
    for (String setting : settings) {
      byte[] image = ("cuemu:" + setting + "\0").getBytes(StandardCharsets.US_ASCII);
      int status = JCudaDriver.cuModuleLoadData(new CUmodule(), image);
      if (status != CUresult.CUDA_SUCCESS) {
        throw new IllegalArgumentException("the stand-in driver does not know '" + setting + "'");
      }
    }
  }

  /** Back to the defaults. Does nothing on a real GPU. */
  public static void reset() {
    if (isPresent()) {
      set(DEFAULTS);
    }
  }

  /** Device 0 with the modules that hold the race checker's hooks. */
  static CudaDevice openChecked() {
    return CudaDevice.open(
        0, KernelImages.inFolder(CudaLibrary.emulation().orElseThrow(), ".check.so"));
  }
}

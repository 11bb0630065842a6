// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cuda;

import java.util.HashMap;
import java.util.Map;
import jcuda.driver.CUfunction;
import jcuda.driver.CUmodule;
import jcuda.driver.JCudaDriver;

/** One kernel family ({@code .cu} file) on a device; ends with the device. */
final class KernelModule {
  private final CudaDevice device;
  private final String name;
  private final CUmodule handle = new CUmodule();
  private final Map<String, Kernel> kernels = new HashMap<>();

  KernelModule(CudaDevice device, String name, byte[] image) {
    this.device = device;
    this.name = name;
    device.check(
        JCudaDriver.cuModuleLoadData(handle, image),
        "cuModuleLoadData %s (%,d bytes)",
        name,
        image.length);
  }

  /**
   * The module {@code name} of a device, loaded when first asked for: ask at start-up, since a
   * newer device compiles it then.
   *
   * @throws io.everwatch.kernels.DeviceException of class REFUSED when it was not built or the
   *     driver does not take it
   */
  static KernelModule load(CudaDevice device, String name) {
    return device.module(name);
  }

  /**
   * The kernel of that name; the same object each time.
   *
   * @throws io.everwatch.kernels.DeviceException of class REFUSED when the module has none
   */
  synchronized Kernel kernel(String kernel) {
    return kernels.computeIfAbsent(
        kernel,
        k -> {
          CUfunction function = new CUfunction();
          device.check(
              JCudaDriver.cuModuleGetFunction(function, handle, k),
              "kernel %s of module %s: cuModuleGetFunction",
              k,
              name);
          return new Kernel(device, k, function);
        });
  }

  void unload() {
    device.giveBack("cuModuleUnload " + name, () -> JCudaDriver.cuModuleUnload(handle));
  }
}

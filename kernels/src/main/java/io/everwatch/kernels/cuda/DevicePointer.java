// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cuda;

import jcuda.driver.CUdeviceptr;

/** An address as the binding wants it; addresses are {@code long} everywhere else. */
final class DevicePointer extends CUdeviceptr {
  /** For the driver to fill in. */
  DevicePointer() {}

  private DevicePointer(long address) {
    super(new CUdeviceptr(), address);
  }

  static DevicePointer of(long address) {
    return new DevicePointer(address);
  }

  long address() {
    return getNativePointer() + getByteOffset();
  }
}

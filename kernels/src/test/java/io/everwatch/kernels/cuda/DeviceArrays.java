// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cuda;

import java.util.ArrayList;
import java.util.List;

/** Arrays on a device for the length of a test. */
final class DeviceArrays implements AutoCloseable {
  private final CudaDevice device;
  private final BlockingCopies copies;
  private final List<DeviceMemory> memory = new ArrayList<>();

  DeviceArrays(CudaDevice device) {
    this.device = device;
    this.copies = new BlockingCopies(device);
  }

  /** Memory whose content is undefined (NaN bytes in emulation). */
  long bytes(long bytes) {
    DeviceMemory block = DeviceMemory.allocate(device, Math.max(1, bytes), "test");
    memory.add(block);
    return block.address();
  }

  long of(float... values) {
    long address = bytes(4L * values.length);
    copies.write(address, values);
    return address;
  }

  long of(int... values) {
    long address = bytes(4L * values.length);
    copies.write(address, values);
    return address;
  }

  long of(long... values) {
    long address = bytes(8L * values.length);
    copies.write(address, values);
    return address;
  }

  /** Values rounded to bf16 (nearest even). */
  long bf16(float... values) {
    long address = bytes(2L * values.length);
    copies.write(address, Bf16.of(values));
    return address;
  }

  float[] floats(long address, int count) {
    device.synchronize();
    float[] values = new float[count];
    copies.read(address, values);
    return values;
  }

  int[] ints(long address, int count) {
    device.synchronize();
    int[] values = new int[count];
    copies.read(address, values);
    return values;
  }

  /** bf16 as their bits. */
  short[] bits(long address, int count) {
    device.synchronize();
    short[] values = new short[count];
    copies.read(address, values);
    return values;
  }

  /** bf16 widened. */
  float[] widened(long address, int count) {
    return Bf16.widen(bits(address, count));
  }

  @Override
  public void close() {
    memory.forEach(DeviceMemory::close);
  }
}

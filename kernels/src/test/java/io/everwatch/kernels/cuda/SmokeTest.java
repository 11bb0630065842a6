// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The path Java, binding, driver, kernel, with kernels of no other use. */
@RequiresDevice
class SmokeTest {
  private static final long SEED = 1;

  private CudaDevice device;
  private CudaStream stream;
  private DeviceArrays arrays;

  @BeforeEach
  void open() {
    device = CudaDevice.open(0);
    stream = CudaStream.open(device);
    arrays = new DeviceArrays(device);
  }

  @AfterEach
  void close() {
    arrays.close();
    stream.close();
    device.close();
  }

  @Test
  @EnabledOnEmulation
  void addsVectors() {
    int n = 1003;
    float[] a = gaussian(n, SEED);
    float[] b = gaussian(n, SEED + 1);
    long out = arrays.bytes(4L * n);
    Kernel add = KernelModule.load(device, "smoke").kernel("vector_add");

    add.launch(
        stream,
        (n + 255) / 256,
        1,
        1,
        256,
        0,
        add.args().pointer(arrays.of(a)).pointer(arrays.of(b)).pointer(out).i32(n));
    stream.synchronize();

    float[] sum = arrays.floats(out, n);
    for (int i = 0; i < n; i++) {
      assertThat(sum[i]).isEqualTo(a[i] + b[i]);
    }
  }

  private static float[] gaussian(int n, long seed) {
    Random random = new Random(seed);
    float[] values = new float[n];
    for (int i = 0; i < n; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return values;
  }
}

// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.everwatch.kernels.DeviceException;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The path Java, binding, driver, kernel, with small kernels of no other use: each of the things
 * that the real ones are made of.
 */
@EnabledOnEmulation
class SmokeTest {
  private static final long SEED = 1;
  private static final int AMPERE_SHARED = 3 * 8192;
  private static final int HOPPER_SHARED = 3 * 24576;

  @Test
  void addsVectors() {
    int n = 1003;
    float[] a = gaussian(n, SEED);
    float[] b = gaussian(n, SEED + 1);

    float[] sum = EveryOrder.run(device -> add(device, a, b));

    for (int i = 0; i < n; i++) {
      assertThat(sum[i]).isEqualTo(a[i] + b[i]);
    }
  }

  @Test
  void normalisesWithShufflesAndSharedMemory() {
    int rows = 3;
    int dim = 520;
    float eps = 1e-6f;
    float[] x = Bf16.round(gaussian(rows * dim, SEED));
    float[] gain = Bf16.round(gaussian(dim, SEED + 1));

    float[] y = EveryOrder.run(device -> norm(device, x, gain, rows, eps));

    for (int r = 0; r < rows; r++) {
      double sum = 0;
      for (int i = 0; i < dim; i++) {
        sum += (double) x[r * dim + i] * x[r * dim + i];
      }
      double scale = 1 / Math.sqrt(sum / dim + eps);
      for (int i = 0; i < dim; i++) {
        double expected = x[r * dim + i] * scale * gain[i];
        assertThat((double) y[r * dim + i])
            .isCloseTo(expected, within(Math.abs(expected) / 256 + 1e-6));
      }
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 17, 64, 70})
  void multipliesWithTensorCoresAndAsynchronousCopies(int m) {
    int n = 74;
    int k = 104;
    float[] a = Bf16.round(gaussian(m * k, SEED));
    float[] w = Bf16.round(gaussian(n * k, SEED + 1));

    float[] c = EveryOrder.run(device -> ampere(device, a, w, m, n, k));

    for (int i = 0; i < m; i++) {
      for (int j = 0; j < n; j++) {
        double expected = 0;
        double size = 0;
        for (int q = 0; q < k; q++) {
          double term = (double) a[i * k + q] * w[j * k + q];
          expected += term;
          size += Math.abs(term);
        }
        // one rounding to bf16, k roundings in float32
        double bound = Math.abs(expected) / 256 + size * k * 0x1p-24;
        assertThat((double) c[i * n + j]).isCloseTo(expected, within(bound));
      }
    }
  }

  @Test
  void hopperProductHasTheBitsOfTheAmpereProductHere() {
    int m = 70;
    int n = 200;
    int k = 328;
    float[] a = gaussian(m * k, SEED);
    float[] w = gaussian(n * k, SEED + 1);
    float[] hopper = EveryOrder.run(device -> hopper(device, a, w, m, n, k));

    Emulation.set("capability=90");
    try (CudaDevice device = CudaDevice.open(0)) {
      assertThat(device.hasWgmma()).isTrue();
      assertThat(hopper).as("the same K order").isEqualTo(ampere(device, a, w, m, n, k));
    }
  }

  @Test
  void replaysAGraphOfTwoStreams() {
    int n = 1000;
    try (CudaDevice device = CudaDevice.open(0);
        CudaStream first = CudaStream.open(device);
        CudaStream second = CudaStream.open(device);
        CudaEvent fork = CudaEvent.open(device);
        CudaEvent join = CudaEvent.open(device);
        DeviceArrays arrays = new DeviceArrays(device)) {
      long a = arrays.of(filled(n, 1));
      long b = arrays.of(filled(n, 2));
      long c = arrays.bytes(4L * n);
      Kernel add = KernelModule.load(device, "smoke").kernel("vector_add");
      Runnable both =
          () -> {
            add.launch(first, 4, 1, 1, 256, 0, add.args().pointer(a).pointer(b).pointer(c).i32(n));
            fork.record(first);
            second.waitFor(fork);
            add.launch(second, 4, 1, 1, 256, 0, add.args().pointer(c).pointer(b).pointer(b).i32(n));
            join.record(second);
            first.waitFor(join);
          };
      try (CudaGraph graph = CudaGraph.capture(first, "two sums", both)) {
        for (int i = 0; i < 3; i++) {
          graph.launch(first);
        }
        first.synchronize();
      }
      // c = a + b; b = c + b, three times: b = 2, 5, 11, 23
      assertThat(arrays.floats(b, n)).containsOnly(23f);
    }
    assertThat(Emulation.live(0)).isEqualTo(Emulation.Live.NONE);
  }

  @Test
  void aCaptureThatFailsLeavesNothing() {
    try (CudaDevice device = CudaDevice.open(0);
        CudaStream stream = CudaStream.open(device)) {
      assertThatThrownBy(() -> CudaGraph.capture(stream, "that waits", stream::synchronize))
          .isInstanceOf(DeviceException.class)
          .hasMessageContaining("CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED (900)");
      stream.synchronize();
      assertThat(Emulation.live(0).graphs()).isZero();
    }
  }

  @Test
  void lazyStreamsShowAMissingWait() {
    Emulation.set("streams=lazy");
    int n = 64;
    try (CudaDevice device = CudaDevice.open(0);
        CudaStream stream = CudaStream.open(device);
        CudaEvent done = CudaEvent.open(device);
        PinnedBuffer pinned = PinnedBuffer.allocate(device, 4 * n, "test");
        DeviceArrays arrays = new DeviceArrays(device)) {
      long a = arrays.bytes(4L * n);
      Kernel add = KernelModule.load(device, "smoke").kernel("vector_add");
      for (int i = 0; i < n; i++) {
        pinned.bytes().putFloat(4 * i, 3);
      }
      stream.upload(pinned, 0, a, 4L * n);
      add.launch(stream, 1, 1, 1, 64, 0, add.args().pointer(a).pointer(a).pointer(a).i32(n));
      stream.download(a, pinned, 0, 4L * n);
      done.record(stream);

      assertThat(done.isDone()).isFalse();
      assertThat(pinned.bytes().getFloat(0)).as("nothing has run yet").isEqualTo(3);
      done.await();
      assertThat(pinned.bytes().getFloat(0)).isEqualTo(6);
      assertThat(stream.isDone()).isTrue();
    }
  }

  @Test
  void countsCopiesAndLaunches() {
    float[] ones = filled(8, 1);
    Emulation.Counts before = Emulation.counts(0);
    try (CudaDevice device = CudaDevice.open(0)) {
      add(device, ones, ones);
    }

    assertThat(Emulation.counts(0).since(before))
        .isEqualTo(new Emulation.Counts(1, 0, 2, 1, 0, 0, 64, 32));
  }

  private static float[] add(CudaDevice device, float[] a, float[] b) {
    int n = a.length;
    try (CudaStream stream = CudaStream.open(device);
        DeviceArrays arrays = new DeviceArrays(device)) {
      long out = arrays.bytes(4L * n);
      Kernel add = KernelModule.load(device, "smoke").kernel("vector_add");
      Args args = add.args().pointer(arrays.of(a)).pointer(arrays.of(b)).pointer(out).i32(n);
      add.launch(stream, (n + 255) / 256, 1, 1, 256, 0, args);
      return arrays.floats(out, n);
    }
  }

  private static float[] norm(CudaDevice device, float[] x, float[] gain, int rows, float eps) {
    int dim = gain.length;
    try (CudaStream stream = CudaStream.open(device);
        DeviceArrays arrays = new DeviceArrays(device)) {
      long out = arrays.bytes(2L * x.length);
      Kernel norm = KernelModule.load(device, "smoke").kernel("rmsnorm");
      Args args = norm.args().pointer(arrays.bf16(x)).pointer(arrays.bf16(gain)).pointer(out);
      norm.launch(stream, rows, 1, 1, 128, 0, args.i32(dim).f32(eps));
      return arrays.widened(out, x.length);
    }
  }

  private static float[] ampere(CudaDevice device, float[] a, float[] w, int m, int n, int k) {
    try (CudaStream stream = CudaStream.open(device);
        DeviceArrays arrays = new DeviceArrays(device)) {
      long out = arrays.bytes(2L * m * n);
      Kernel gemm = KernelModule.load(device, "smoke").kernel("gemm_bf16");
      Args args = gemm.args().pointer(arrays.bf16(a)).pointer(arrays.bf16(w)).pointer(out);
      args.i32(m).i32(n).i32(k);
      gemm.launch(stream, (n + 63) / 64, (m + 63) / 64, 1, 128, AMPERE_SHARED, args);
      return arrays.widened(out, m * n);
    }
  }

  private static float[] hopper(CudaDevice device, float[] a, float[] w, int m, int n, int k) {
    try (CudaStream stream = CudaStream.open(device);
        DeviceArrays arrays = new DeviceArrays(device)) {
      long out = arrays.bytes(2L * m * n);
      Kernel gemm = KernelModule.load(device, "smoke_sm90a").kernel("gemm_wgmma_bf16");
      Args args = gemm.args().pointer(arrays.bf16(a)).pointer(arrays.bf16(tiles(w, n, k)));
      args.pointer(out).i32(m).i32(n).i32(k);
      gemm.launch(stream, (n + 127) / 128, (m + 63) / 64, 1, 128, HOPPER_SHARED, args);
      return arrays.widened(out, m * n);
    }
  }

  /** Weights as the Hopper product wants them: swizzled 128 x 64 tile images, zero-padded. */
  private static float[] tiles(float[] w, int n, int k) {
    int across = (k + 63) / 64;
    float[] tiles = new float[(n + 127) / 128 * across * 8192];
    for (int r = 0; r < n; r++) {
      for (int c = 0; c < k; c++) {
        int tile = r / 128 * across + c / 64;
        int row = r % 128;
        int chunk = c % 64 / 8 ^ row % 8;
        tiles[tile * 8192 + row * 64 + chunk * 8 + c % 8] = w[r * k + c];
      }
    }
    return tiles;
  }

  private static float[] filled(int n, float value) {
    float[] values = new float[n];
    Arrays.fill(values, value);
    return values;
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

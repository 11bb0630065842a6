// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.everwatch.kernels.DeviceException;
import io.everwatch.kernels.DeviceException.Failure;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** That the checks which every kernel goes through find what they are for. */
@EnabledOnEmulation
class PlantedFaultsTest {
  private static final int OUT = 128;

  @ParameterizedTest
  @ValueSource(
      strings = {
        "missing_barrier",
        "missing_syncwarp",
        "missing_wait",
        "reuse_too_early",
        "out_of_bounds",
        "diverged_barrier",
        "lane_left",
        "blocks_collide"
      })
  void theCheckerFinds(String kernel) {
    try (CudaDevice device = Emulation.openChecked()) {
      assertThatThrownBy(() -> run(device, kernel))
          .isInstanceOfSatisfying(
              DeviceException.class, e -> assertThat(e.failure()).isEqualTo(Failure.LOST))
          .hasMessageContaining(kernel);
    }
  }

  @Test
  void theCheckerReportsNothingOfLaunchesBefore() {
    int numbers = 4095; // by which the checker tells launches apart: they repeat
    try (CudaDevice checked = Emulation.openChecked();
        CudaDevice plain = CudaDevice.open(0);
        CudaStream stream = CudaStream.open(checked);
        DeviceArrays arrays = new DeviceArrays(checked)) {
      long at = arrays.of(new float[32]);
      Kernel checkedAdd = KernelModule.load(checked, "smoke").kernel("vector_add");
      Kernel plainAdd = KernelModule.load(plain, "smoke").kernel("vector_add");
      for (int round = 0; round < 2; round++) { // from two numbers: one may be the first
        add(checkedAdd, stream, at, 32);
        for (int i = 1; i < numbers; i++) {
          add(plainAdd, stream, at, 32);
        }
        add(checkedAdd, stream, at, 16); // other threads write what was written before: no race
        add(plainAdd, stream, at, 32);
      }
      stream.synchronize();
      assertThat(checked.isLost()).isFalse();
    }
  }

  /** Adds 32 numbers to themselves in blocks of that many threads. */
  private static void add(Kernel kernel, CudaStream stream, long at, int block) {
    Args args = kernel.args().pointer(at).pointer(at).pointer(at).i32(32);
    kernel.launch(stream, 32 / block, 1, 1, block, 0, args);
  }

  @Test
  void anotherOrderShowsAMissingBarrier() {
    float[] forward = plain("missing_barrier");
    Emulation.set("order=reverse");

    assertThat(plain("missing_barrier")).isNotEqualTo(forward);
  }

  @Test
  void aLateCopyShowsAMissingWaitWhichAnEarlyOneHides() {
    assertThat(plain("missing_wait")[0]).isNaN();
    Emulation.set("cpasync=early");
    assertThat(plain("missing_wait")[0]).isEqualTo(0);
  }

  @ParameterizedTest
  @ValueSource(strings = {"null_pointer", "too_deep"})
  void aWildPointerEndsTheLaunchAndNotTheProcess(String kernel) {
    try (CudaDevice device = CudaDevice.open(0)) {
      assertThatThrownBy(() -> run(device, kernel))
          .isInstanceOf(DeviceException.class)
          .hasMessageContainingAll(kernel, "CUDA_ERROR_ILLEGAL_ADDRESS (700)");
    }
  }

  private static float[] plain(String kernel) {
    try (CudaDevice device = CudaDevice.open(0)) {
      return run(device, kernel);
    }
  }

  private static float[] run(CudaDevice device, String name) {
    try (CudaStream stream = CudaStream.open(device);
        DeviceArrays arrays = new DeviceArrays(device)) {
      float[] in = new float[1024];
      for (int i = 0; i < in.length; i++) {
        in[i] = i;
      }
      long out = arrays.bytes(4L * OUT);
      Kernel kernel = KernelModule.load(device, "faults").kernel(name);
      Args args = kernel.args();
      switch (name) {
        case "missing_wait" ->
            launch(kernel, stream, 1, 32, args.pointer(arrays.of(in)).pointer(out));
        case "reuse_too_early" ->
            launch(kernel, stream, 1, 64, args.pointer(arrays.of(in)).pointer(out));
        case "out_of_bounds" -> launch(kernel, stream, 2, 128, args.pointer(out).i32(OUT));
        case "missing_syncwarp", "lane_left" -> launch(kernel, stream, 1, 32, args.pointer(out));
        case "blocks_collide" -> launch(kernel, stream, 2, 128, args.pointer(out));
        default -> launch(kernel, stream, 1, 128, args.pointer(out));
      }
      return arrays.floats(out, OUT);
    }
  }

  private static void launch(Kernel kernel, CudaStream stream, int blocks, int block, Args args) {
    kernel.launch(stream, blocks, 1, 1, block, 0, args);
  }
}

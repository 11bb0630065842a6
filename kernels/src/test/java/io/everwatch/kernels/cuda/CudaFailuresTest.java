// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.everwatch.kernels.DeviceException;
import io.everwatch.kernels.DeviceException.Failure;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import jcuda.driver.CUcontext;
import jcuda.driver.CUdevice;
import jcuda.driver.CUresult;
import jcuda.driver.JCudaDriver;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * What is thrown, what is left, and what is freed when the driver does not do what it was asked.
 */
@EnabledOnEmulation
class CudaFailuresTest {
  private static final long SIZE = 4096;
  private static final int DEADLINE_SECONDS = 60;

  /** Memory, a stream, an event, pinned memory and a launch. */
  private static void work(CudaDevice device) {
    try (CudaStream stream = CudaStream.open(device);
        CudaEvent event = CudaEvent.open(device);
        PinnedBuffer pinned = PinnedBuffer.allocate(device, (int) SIZE, "results");
        DeviceMemory memory = DeviceMemory.allocate(device, SIZE, "rows")) {
      Kernel add = KernelModule.load(device, "smoke").kernel("vector_add");
      stream.fill(memory.address(), (byte) 0, SIZE);
      launch(add, stream, memory.address(), (int) (SIZE / 4));
      stream.download(memory.address(), pinned, 0, SIZE);
      event.record(stream);
      event.await();
      stream.synchronize();
    }
  }

  private static void launch(Kernel add, CudaStream stream, long at, int n) {
    Args args = add.args().pointer(at).pointer(at).pointer(at).i32(n);
    add.launch(stream, (n + 255) / 256, 1, 1, 256, 0, args);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "fail=alloc:*:1",
        "fail=pinned:*:1",
        "fail=module:*:1",
        "fail=stream:*:1:2",
        "fail=event:*:1:2",
        "fail=launch:vector_add:1:701",
        "fail=copy:*:1:1",
        "fail=sync:*:1:801",
        "memory=1k"
      })
  void aRefusalLeavesTheDeviceIntactAndEverythingIsFreed(String fault) {
    int leaked = Emulation.leaked(0);
    try (CudaDevice device = CudaDevice.open(0)) {
      Emulation.set(fault);

      assertThatThrownBy(() -> work(device))
          .isInstanceOfSatisfying(
              DeviceException.class, e -> assertThat(e.failure()).isEqualTo(Failure.REFUSED));

      Emulation.set("memory=1m");
      work(device);
      assertThat(device.isLost()).isFalse();
    }
    assertThat(Emulation.live(0)).isEqualTo(Emulation.Live.NONE);
    assertThat(Emulation.leaked(0)).isEqualTo(leaked);
  }

  @Test
  void nothingIsLeftAfterAnOpenThatFails() {
    assertThatThrownBy(() -> CudaDevice.open(3))
        .isInstanceOf(DeviceException.class)
        .hasMessageContainingAll("device 3", "sees 1", "CUDA_VISIBLE_DEVICES");
    assertThat(Emulation.live(0)).isEqualTo(Emulation.Live.NONE);
  }

  @ParameterizedTest
  @ValueSource(ints = {214, 220, 700, 702, 710, 716, 719, 999})
  void afterALostErrorEveryCallIsRefusedResetIncluded(int status) {
    try (CudaDevice device = CudaDevice.open(0);
        DeviceMemory memory = DeviceMemory.allocate(device, SIZE, "rows")) {
      Emulation.set("fail=launch:*:1:" + status);
      DeviceException lost = catchThrowableOfType(DeviceException.class, () -> work(device));
      assertThat(lost.failure()).isEqualTo(Failure.LOST);
      assertThat(lost).hasMessageContainingAll("(" + status + ")", "vector_add", "must end");

      List<Consumer<CudaDevice>> calls =
          List.of(
              CudaDevice::enter,
              CudaDevice::synchronize,
              CudaDevice::freeBytes,
              CudaStream::open,
              CudaEvent::open,
              d -> DeviceMemory.allocate(d, SIZE, "more"),
              d -> PinnedBuffer.allocate(d, 64, "more"),
              d -> KernelModule.load(d, "faults"),
              d -> new BlockingCopies(d).read(memory.address(), new float[4]),
              d -> CudaDevice.open(0));
      for (Consumer<CudaDevice> call : calls) {
        assertThatThrownBy(() -> call.accept(device))
            .isInstanceOfSatisfying(
                DeviceException.class, e -> assertThat(e.failure()).isEqualTo(Failure.LOST));
      }
      CUdevice handle = new CUdevice();
      assertThat(JCudaDriver.cuDeviceGet(handle, 0)).isEqualTo(CUresult.CUDA_SUCCESS);
      assertThat(JCudaDriver.cuDevicePrimaryCtxReset(handle)).isEqualTo(status);
      assertThat(JCudaDriver.cuDevicePrimaryCtxRelease(handle)).isEqualTo(status);
      assertThat(JCudaDriver.cuDevicePrimaryCtxRetain(new CUcontext(), handle)).isEqualTo(status);
      assertThat(device.isLost()).isTrue();
    } // closing a lost device and what lives on it throws nothing
  }

  @Test
  void saysWhichDeviceItWasAndWhatLostItFirst() {
    try (CudaDevice device = CudaDevice.open(0)) {
      Emulation.set("fail=launch:*:1:214");
      assertThatThrownBy(() -> work(device))
          .hasMessageContainingAll(
              "device 0 (emulated GPU)",
              "launch of vector_add grid (4, 1, 1) block 256 shared 0 bytes arguments (0x",
              ", 1024)",
              "CUDA_ERROR_ECC_UNCORRECTABLE (214)",
              "nvidia-smi");
      assertThatThrownBy(device::synchronize)
          .hasMessageContainingAll("cuCtxSynchronize", "lost before by launch of vector_add");
    }
  }

  @Test
  void namesTheLaunchesBeforeAnErrorThatComesLate() {
    Emulation.set("streams=lazy");
    try (CudaDevice device = CudaDevice.open(0);
        CudaStream stream = CudaStream.open(device);
        DeviceMemory memory = DeviceMemory.allocate(device, SIZE, "rows")) {
      Kernel add = KernelModule.load(device, "smoke").kernel("vector_add");
      launch(add, stream, memory.address(), 100);
      launch(add, stream, memory.address(), 200);
      Emulation.set("fail=launch:vector_add:2");

      assertThatThrownBy(stream::synchronize)
          .isInstanceOf(DeviceException.class)
          .hasMessageContainingAll(
              "cuStreamSynchronize",
              "newest first",
              "vector_add grid (1, 1, 1)",
              ", 200)\n",
              ", 100)");
    }
  }

  @Test
  void refusesArgumentsThatTheKernelDoesNotHave() {
    try (CudaDevice device = CudaDevice.open(0);
        CudaStream stream = CudaStream.open(device)) {
      Kernel add = KernelModule.load(device, "smoke").kernel("vector_add");

      assertThatThrownBy(() -> add.launch(stream, 1, 1, 1, 32, 0, add.args().i32(1)))
          .isInstanceOf(DeviceException.class)
          .hasMessageContainingAll("launch of vector_add", "CUDA_ERROR_INVALID_VALUE (1)");
      assertThatThrownBy(() -> launch(add, stream, 0, 1 << 30))
          .as("a null pointer")
          .isInstanceOf(DeviceException.class);
    }
  }

  @Test
  void refusesMoreSharedMemoryThanABlockHas() {
    try (CudaDevice device = CudaDevice.open(0);
        CudaStream stream = CudaStream.open(device)) {
      Kernel add = KernelModule.load(device, "smoke").kernel("vector_add");
      int most = device.maxSharedBytes();

      assertThatThrownBy(() -> add.launch(stream, 1, 1, 1, 32, most + 1, add.args()))
          .isInstanceOfSatisfying(
              DeviceException.class, e -> assertThat(e.failure()).isEqualTo(Failure.REFUSED))
          .hasMessageContainingAll("vector_add", "%,d".formatted(most + 1), "%,d".formatted(most));
    }
  }

  @Test
  void namesTheMissingKernelAndTheMissingModule() {
    try (CudaDevice device = CudaDevice.open(0)) {
      KernelModule smoke = KernelModule.load(device, "smoke");
      assertThatThrownBy(() -> smoke.kernel("vector_sub"))
          .hasMessageContainingAll("vector_sub", "smoke", "CUDA_ERROR_NOT_FOUND (500)");
      assertThatThrownBy(() -> KernelModule.load(device, "no_such"))
          .hasMessageContainingAll("no_such.emu.so", "build-kernels.sh emu no_such");
    }
    assertThatThrownBy(() -> KernelImages.fatBinaries().image("no_such"))
        .hasMessageContainingAll("no_such.fatbin", "-Deverwatch.nvcc=true");
  }

  @Test
  void aHangingLaunchHoldsItsStreamAndNoOther() throws Exception {
    try (CudaDevice device = CudaDevice.open(0);
        CudaStream stuck = CudaStream.open(device);
        CudaStream free = CudaStream.open(device);
        CudaEvent after = CudaEvent.open(device);
        DeviceMemory memory = DeviceMemory.allocate(device, SIZE, "rows")) {
      Kernel add = KernelModule.load(device, "smoke").kernel("vector_add");
      Emulation.Counts before = Emulation.counts(0);
      Emulation.set("hang=vector_add:1");
      launch(add, stuck, memory.address(), 8);
      launch(add, stuck, memory.address(), 8);
      after.record(stuck);

      CompletableFuture<Void> forStream = inAnotherThread(device, stuck::synchronize);
      CompletableFuture<Void> forEvent = inAnotherThread(device, after::await);
      launch(add, free, memory.address(), 8);
      free.synchronize();
      assertThat(after.isDone()).isFalse();
      assertThat(stuck.isDone()).isFalse();
      assertThat(endsWithin(forStream, 100)).as("the launch ended by itself").isFalse();
      assertThat(endsWithin(forEvent, 100)).as("the launch ended by itself").isFalse();

      Emulation.set("hang=none");
      long deadline = TimeUnit.SECONDS.toMillis(DEADLINE_SECONDS);
      assertThat(endsWithin(forStream, deadline)).isTrue();
      assertThat(endsWithin(forEvent, deadline)).isTrue();
      assertThat(after.isDone()).isTrue();
      assertThat(Emulation.counts(0).since(before).launches()).as("each once").isEqualTo(3);
    }
  }

  private static CompletableFuture<Void> inAnotherThread(CudaDevice device, Runnable work) {
    return CompletableFuture.runAsync(
        () -> {
          device.enter();
          work.run();
        },
        task -> new Thread(task, "waits for the device").start());
  }

  private static boolean endsWithin(CompletableFuture<Void> work, long millis)
      throws InterruptedException, ExecutionException {
    try {
      work.get(millis, TimeUnit.MILLISECONDS);
      return true;
    } catch (TimeoutException e) {
      return false;
    }
  }

  @Test
  void severalDevicesFailApart() {
    Emulation.set("devices=2");
    try (CudaDevice first = CudaDevice.open(0)) {
      try (CudaDevice second = CudaDevice.open(1)) {
        assertThat(second.index()).isEqualTo(1);
        Emulation.set("fail=launch:*:1:700");
        assertThatThrownBy(() -> work(second)).hasMessageContaining("device 1");
        first.enter();
        work(first);
        assertThat(first.isLost()).isFalse();
        assertThat(second.isLost()).isTrue();
      }
    }
  }

  @Test
  void everyStatusHasAClassAndUnknownOnesAreLost() {
    assertThat(CudaStatus.classOf(CUresult.CUDA_ERROR_OUT_OF_MEMORY)).isEqualTo(Failure.REFUSED);
    assertThat(CudaStatus.classOf(CUresult.CUDA_ERROR_INVALID_VALUE)).isEqualTo(Failure.REFUSED);
    assertThat(CudaStatus.classOf(CUresult.CUDA_ERROR_LAUNCH_FAILED)).isEqualTo(Failure.LOST);
    assertThat(CudaStatus.classOf(226)).as("of a later driver").isEqualTo(Failure.LOST);
    for (int status = 1; status < 1000; status++) {
      assertThat(CudaStatus.advice(status)).isNotBlank();
      assertThat(CudaStatus.name(status)).contains("(" + status + ")");
    }
  }
}

// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.everwatch.kernels.Arena;
import io.everwatch.kernels.Backend;
import io.everwatch.kernels.BackendOptions;
import io.everwatch.kernels.Backends;
import io.everwatch.kernels.Context;
import io.everwatch.kernels.DType;
import io.everwatch.kernels.DeviceBuffer;
import io.everwatch.kernels.DeviceException;
import io.everwatch.kernels.DeviceException.Failure;
import io.everwatch.kernels.KvShape;
import io.everwatch.kernels.Matrix;
import io.everwatch.kernels.RowPool;
import io.everwatch.kernels.SeededTensor;
import io.everwatch.kernels.Span;
import io.everwatch.kernels.StepSpace;
import io.everwatch.kernels.TensorSource;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What the back end adds to its launchers: memory, checks, an end that leaves nothing. */
@EnabledOnEmulation
class CudaBackendTest {
  private static Backend open(DType type) {
    return Backends.open("cuda", new BackendOptions(1, false).withDtype(type));
  }

  @Test
  void seededWeightsComputeTheSameAsOnesThatWereCopied() {
    SeededTensor seeded = new SeededTensor("w", List.of(130L, 72L), 5, 0, 0.3f);
    float[] copied = new float[130 * 72];
    seeded.read(0, copied, 0, copied.length);
    for (DType type : List.of(DType.F32, DType.BF16)) {
      try (Backend gpu = open(type);
          Arena arena = gpu.arena()) {
        Matrix filled = gpu.matrix("filled", List.of(seeded));
        Matrix loaded = gpu.matrix("loaded", List.of(new HeapTensor("copied", copied, 130, 72)));
        float[] x = new float[72];
        for (int i = 0; i < x.length; i++) {
          x[i] = 1 + i % 7;
        }
        DeviceBuffer in = arena.allocate(1, 72);
        gpu.upload(x, 0, 72, in);
        assertThat(product(gpu, arena, in, filled)).isEqualTo(product(gpu, arena, in, loaded));
      }
    }
    assertThat(Emulation.live(0)).isEqualTo(Emulation.Live.NONE);
  }

  private static float[] product(Backend gpu, Arena arena, DeviceBuffer x, Matrix w) {
    DeviceBuffer out = arena.allocateF32(1, w.rows());
    gpu.linear(x, w, null, 1, out);
    float[] values = new float[w.rows()];
    gpu.download(out, 0, values, 0, values.length);
    assertThat(values).doesNotContain(Float.NaN);
    return values;
  }

  private record HeapTensor(String name, float[] values, long rows, long columns)
      implements TensorSource {
    @Override
    public List<Long> shape() {
      return List.of(rows, columns);
    }

    @Override
    public void read(long from, float[] to, int at, int count) {
      System.arraycopy(values, (int) from, to, at, count);
    }
  }

  @Test
  void aStepThatWasAnnouncedFindsItsRoomAndAllocatesNothing() {
    try (Backend gpu = open(DType.BF16);
        Arena arena = gpu.arena()) {
      arena.reset(new StepSpace(3_000_000, 500_000, 10, 4));
      int before = Emulation.live(0).memory();
      for (int step = 0; step < 3; step++) {
        arena.reset(new StepSpace(3_000_000, 500_000, 10, 4));
        arena.allocate(1000, 2000);
        arena.allocate(1000, 1000);
        arena.allocateF32(500, 1000);
      }
      assertThat(Emulation.live(0).memory()).isEqualTo(before);
    }
  }

  @Test
  void aStepForWhichThereIsNoMemoryIsRefusedAndTheNextOneRuns() {
    Emulation.set("memory=32m");
    try (Backend gpu = open(DType.BF16);
        Arena arena = gpu.arena()) {
      assertThatThrownBy(() -> arena.reset(new StepSpace(1 << 28, 0, 0, 1)))
          .isInstanceOfSatisfying(
              DeviceException.class, e -> assertThat(e.failure()).isEqualTo(Failure.REFUSED))
          .hasMessageContaining("step memory");
      arena.reset(new StepSpace(1024, 0, 0, 1));
      DeviceBuffer buffer = arena.allocate(1, 1024);
      gpu.upload(new float[1024], 0, 1024, buffer);
      gpu.download(buffer, 0, new float[1024], 0, 1024);
    }
    assertThat(Emulation.live(0)).isEqualTo(Emulation.Live.NONE);
  }

  @Test
  void refusesBuffersOfAnotherStepTypeOrSize() {
    try (Backend gpu = open(DType.BF16);
        Arena arena = gpu.arena()) {
      DeviceBuffer old = arena.allocate(4, 8);
      arena.reset();
      assertThatIllegalArgumentException()
          .isThrownBy(() -> gpu.gelu(old, 32))
          .withMessageContaining("given back");
      DeviceBuffer floats = arena.allocateF32(4, 8);
      assertThatIllegalArgumentException()
          .isThrownBy(() -> gpu.gelu(floats, 32))
          .withMessageContaining("of type F32; expected BF16");
      DeviceBuffer small = arena.allocate(4, 8);
      assertThatIllegalArgumentException()
          .isThrownBy(() -> gpu.gelu(small, 36))
          .withMessageContaining("32 elements, but 36 are needed");
      arena.close();
      assertThatIllegalStateException()
          .isThrownBy(() -> arena.allocate(1, 1))
          .withMessageContaining("after close");
    }
  }

  @Test
  void refusesAContextThatStandsTwiceInABatch() {
    KvShape shape = new KvShape(1, 2, 1, 32, new int[] {4, 6, 6}, 10_000);
    try (Backend gpu = open(DType.BF16);
        RowPool pool = gpu.rowPool(shape, 64);
        Context first = gpu.context(pool);
        Context second = gpu.context(pool)) {
      first.extend(new int[] {0, 1}, new float[3][2]);
      second.extend(new int[] {2, 3}, new float[3][2]);
      List<Span> twice =
          List.of(new Span(first, 0, 1), new Span(second, 1, 1), new Span(first, 2, 1));
      assertThatIllegalArgumentException()
          .isThrownBy(() -> gpu.prefillBatch(twice, new int[3], new int[0], List.of()))
          .withMessageContaining("streams 0 and 2 of the batch have the same context");
      assertThatIllegalArgumentException()
          .isThrownBy(() -> gpu.decodeBatch(List.of(first, second, second), new int[3], List.of()))
          .withMessageContaining("streams 1 and 2 of the batch have the same context");

      assertThat(gpu.decodeBatch(List.of(first, second), new int[2], List.of()).rows())
          .isEqualTo(2);
    }
  }

  @Test
  void namesWhatDecidesItsBits() {
    try (Backend gpu = open(DType.BF16)) {
      assertThat(gpu.numerics())
          .startsWith("cuda: emulated, compute capability 8.0; kernels ")
          .contains("BF16 products")
          .contains("attention decode in pieces of 256 rows");
      try (Backend plain = open(DType.F32)) {
        assertThat(plain.numerics()).isNotEqualTo(gpu.numerics());
      }
    }
  }

  @Test
  void countsWorkingCopiesAmongTheMemoryOfRows() {
    KvShape shape = new KvShape(28, 28, 4, 128, new int[] {16, 24, 24}, 1e6);
    try (Backend gpu = open(DType.BF16)) {
      int slots = gpu.slots(shape, 80L << 30);
      long bytesPerSlot = (80L << 30) / slots;
      // 57,344 bytes of K and V, half as much again and an eighth of it for the rotated copy.
      assertThat(bytesPerSlot).isBetween(57_344L * 3 / 2, 57_344L * 7 / 4);
      assertThat(gpu.slots(shape, 1024)).isZero();
    }
  }

  @Test
  void isOfNoUseAfterItsEnd() {
    Backend gpu = open(DType.F32);
    gpu.close();
    gpu.close();
    assertThatIllegalStateException()
        .isThrownBy(gpu::arena)
        .withMessageContaining("the back end was closed");
    assertThat(Emulation.live(0)).isEqualTo(Emulation.Live.NONE);
  }
}

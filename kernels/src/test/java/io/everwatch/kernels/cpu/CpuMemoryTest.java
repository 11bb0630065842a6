// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.everwatch.kernels.Arena;
import io.everwatch.kernels.Backend;
import io.everwatch.kernels.BackendOptions;
import io.everwatch.kernels.Backends;
import io.everwatch.kernels.Context;
import io.everwatch.kernels.DeviceBuffer;
import io.everwatch.kernels.KvShape;
import io.everwatch.kernels.Matrix;
import io.everwatch.kernels.RowPool;
import io.everwatch.kernels.Samples;
import io.everwatch.kernels.Span;
import io.everwatch.kernels.Table;
import io.everwatch.kernels.Vector;
import java.nio.file.Path;
import java.util.List;
import org.bytedeco.javacpp.Loader;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Buffers, pools and contexts: what they hold and what they refuse. */
class CpuMemoryTest {
  private static final KvShape SHAPE = new KvShape(3, 4, 2, 8, new int[] {1, 1, 2}, 10_000);
  private Backend backend;

  @BeforeEach
  void open() {
    backend = Backends.open("cpu", new BackendOptions(1, false));
  }

  @AfterEach
  void close() {
    backend.close();
  }

  @Test
  void aRowComesBackAsItWasWritten() {
    int elements = (int) SHAPE.rowElements();
    float[] rows = Samples.gaussian(1, 5 * elements);
    try (RowPool pool = backend.rowPool(SHAPE, 5)) {
      for (int slot = 0; slot < 5; slot++) {
        pool.write(slot, rows, (4 - slot) * elements);
      }
      float[] read = new float[5 * elements];
      for (int slot = 0; slot < 5; slot++) {
        pool.read(slot, read, (4 - slot) * elements);
      }
      assertThat(read).containsExactly(rows);
      assertThatThrownBy(() -> pool.read(5, read, 0)).hasMessageContainingAll("slot 5", "0 to 4");
    }
  }

  @Test
  void aBufferIsUnusableAfterItsArenaWasReset() {
    try (Arena arena = backend.arena()) {
      DeviceBuffer old = arena.allocate(2, 3);
      backend.upload(new float[6], 0, 6, old);
      arena.reset();
      DeviceBuffer fresh = arena.allocate(2, 3);

      assertThatThrownBy(() -> backend.gelu(old, 6)).hasMessageContainingAll("gelu", "reset");
      assertThatThrownBy(() -> backend.download(old, 0, new float[6], 0, 6))
          .hasMessageContaining("reset");
      backend.gelu(fresh, 6);
    }
  }

  @Test
  void aBufferIsUnusableAfterItsArenaWasClosed() {
    Arena arena = backend.arena();
    DeviceBuffer buffer = arena.allocate(1, 1);
    arena.close();
    assertThatThrownBy(() -> backend.gelu(buffer, 1)).hasMessageContaining("closed");
    assertThatThrownBy(() -> arena.allocate(1, 1)).hasMessageContaining("close");
  }

  @Test
  void buffersOfOneStepDoNotOverlap() {
    try (Arena arena = backend.arena()) {
      for (int step = 0; step < 3; step++) {
        DeviceBuffer[] buffers = new DeviceBuffer[40];
        for (int i = 0; i < buffers.length; i++) {
          int size = 1 + i * i * 97;
          buffers[i] = arena.allocate(1, size);
          float[] values = new float[size];
          java.util.Arrays.fill(values, step * 100 + i);
          backend.upload(values, 0, size, buffers[i]);
        }
        for (int i = 0; i < buffers.length; i++) {
          float[] values = CpuOperationsTest.download(backend, buffers[i], 1 + i * i * 97);
          assertThat(values).containsOnly(step * 100 + i);
        }
        arena.reset();
      }
    }
  }

  @Test
  void gatherAndScatterPutRowsWhereTheyBelong() {
    try (Arena arena = backend.arena()) {
      float[] x = Samples.gaussian(2, 5 * 3);
      DeviceBuffer in = CpuOperationsTest.padded(backend, arena, x);
      DeviceBuffer some = arena.allocate(2, 3);
      DeviceBuffer all = arena.allocate(5, 3);
      backend.upload(x, 0, 15, all);
      backend.gather(in, new int[] {4, 1}, 3, some);
      assertThat(CpuOperationsTest.download(backend, some, 6))
          .containsExactly(x[12], x[13], x[14], x[3], x[4], x[5]);
      backend.scatter(some, new int[] {0, 2}, 3, all);
      assertThat(CpuOperationsTest.download(backend, all, 9))
          .containsExactly(x[12], x[13], x[14], x[3], x[4], x[5], x[3], x[4], x[5]);
      assertThatThrownBy(() -> backend.gather(in, new int[] {5}, 3, some))
          .hasMessageContaining("row 5");
      assertThatThrownBy(() -> backend.scatter(some, new int[] {-1}, 3, all))
          .hasMessageContaining("row -1");
    }
  }

  @Test
  void embedLooksUpRowsAndRefusesIdsOutsideTheTable() {
    float[] values = Samples.gaussian(3, 7 * 4);
    Table table = backend.table(Samples.tensor("embed", values, 7, 4));
    try (Arena arena = backend.arena()) {
      DeviceBuffer out = arena.allocate(2, 4);
      backend.embed(table, new int[] {6, 0}, out);
      assertThat(CpuOperationsTest.download(backend, out, 8))
          .containsExactly(
              values[24],
              values[25],
              values[26],
              values[27],
              values[0],
              values[1],
              values[2],
              values[3]);
      assertThatThrownBy(() -> backend.embed(table, new int[] {7}, out))
          .hasMessageContainingAll("id 7", "embed");
    }
  }

  @Test
  void namesTheShapeThatDoesNotFit() {
    Matrix w = backend.matrix("q", List.of(Samples.tensor("q", new float[12], 3, 4)));
    Vector short2 = backend.vector("b", List.of(Samples.tensor("b", new float[2], 2)));
    try (Arena arena = backend.arena()) {
      DeviceBuffer x = arena.allocate(2, 4);
      DeviceBuffer y = arena.allocate(2, 3);
      assertThatThrownBy(() -> backend.linear(x, w, null, 3, y))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContainingAll("linear", "x holds 8", "12 are needed");
      assertThatThrownBy(() -> backend.linear(x, w, short2, 2, y)).hasMessageContaining("width 3");
      assertThatThrownBy(() -> backend.rmsNorm(x, short2, 0, 9, y))
          .hasMessageContainingAll("rmsNorm", "18 are needed");
    }
    assertThatThrownBy(
            () ->
                backend.matrix(
                    "qkv",
                    List.of(
                        Samples.tensor("q", new float[12], 3, 4),
                        Samples.tensor("k", new float[15], 3, 5))))
        .hasMessageContainingAll("qkv", "tensor k", "5 columns");
  }

  @Test
  void refusesSpansThatDoNotFitTheirContext() {
    try (RowPool pool = backend.rowPool(SHAPE, 8);
        Arena arena = backend.arena();
        Context context = backend.context(pool)) {
      DeviceBuffer qkv = arena.allocate(4, 64);
      DeviceBuffer out = arena.allocate(4, 32);
      context.load(new int[] {0, 1}, new float[3][2]);
      context.extend(new int[] {2}, new float[3][1]);
      assertThatThrownBy(() -> backend.attend(0, qkv, List.of(new Span(context, 0, 2)), out))
          .hasMessageContaining("only 1 of the context's 3 rows");
      assertThatThrownBy(() -> backend.attend(0, qkv, List.of(new Span(context, 1, 1)), out))
          .hasMessageContaining("token 0 was expected");
      assertThatThrownBy(() -> backend.attend(3, qkv, List.of(new Span(context, 0, 1)), out))
          .hasMessageContaining("layer 3");
      assertThatThrownBy(() -> context.load(new int[] {8}, new float[3][1]))
          .hasMessageContaining("slot 8");
      assertThatThrownBy(() -> context.extend(new int[] {3}, new float[3][2]))
          .hasMessageContaining("expected [3][1]");
      assertThat(context.rows()).isEqualTo(3);
    }
  }

  @Test
  void closingTwiceOrInAnyOrderIsHarmless() {
    RowPool pool = backend.rowPool(SHAPE, 8);
    Context context = backend.context(pool);
    context.load(new int[] {0, 1}, new float[3][2]);
    backend.close();
    backend.close();
    context.close();
    context.close();
    pool.close();
    assertThatThrownBy(() -> backend.context(pool)).hasMessageContaining("closed");
    assertThatThrownBy(() -> backend.matrix("q", List.of(Samples.tensor("q", new float[12], 3, 4))))
        .hasMessageContaining("closed");
  }

  @Test
  void nativesAreUnpackedWhereThePropertySays() throws Exception {
    Path cache = Path.of(System.getProperty("org.bytedeco.javacpp.cachedir")).toRealPath();

    assertThat(Loader.getCacheDir().toPath().toRealPath()).isEqualTo(cache);
    assertThat(Loader.getLoadedLibraries().values())
        .isNotEmpty()
        .allSatisfy(
            file -> {
              if (file.contains("dnnl")) {
                assertThat(Path.of(file).toRealPath()).startsWith(cache);
              }
            });
  }
}

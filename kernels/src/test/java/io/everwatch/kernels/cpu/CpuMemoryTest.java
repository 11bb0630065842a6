// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.everwatch.kernels.Arena;
import io.everwatch.kernels.Backend;
import io.everwatch.kernels.BackendOptions;
import io.everwatch.kernels.Backends;
import io.everwatch.kernels.Batch;
import io.everwatch.kernels.Batches;
import io.everwatch.kernels.Context;
import io.everwatch.kernels.DeviceBuffer;
import io.everwatch.kernels.KvShape;
import io.everwatch.kernels.Matrix;
import io.everwatch.kernels.PendingRows;
import io.everwatch.kernels.RowPool;
import io.everwatch.kernels.RowValues;
import io.everwatch.kernels.Samples;
import io.everwatch.kernels.Span;
import io.everwatch.kernels.Table;
import io.everwatch.kernels.Vector;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
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
    byte[][] rows = new byte[5][];
    for (int i = 0; i < 5; i++) {
      rows[i] = RowValues.bytes(Samples.gaussian(i, elements));
    }
    try (RowPool pool = backend.rowPool(SHAPE, 5)) {
      assertThat(pool.rowBytes()).isEqualTo(4 * elements);
      pool.write(new int[] {4, 3, 2, 1, 0}, rows);
      assertThat(pool.read(new int[] {4, 3, 2, 1, 0}).await()).isDeepEqualTo(rows);
      assertThatThrownBy(() -> pool.read(new int[] {5}))
          .hasMessageContainingAll("slot 5", "0 to 4");
      assertThatThrownBy(() -> pool.write(new int[] {0}, new byte[][] {new byte[7]}))
          .hasMessageContainingAll("row 0 has 7 bytes", "expected " + 4 * elements);
      assertThatThrownBy(() -> pool.write(new int[] {0}, rows))
          .hasMessageContaining("5 rows for 1 slots");
    }
  }

  @Test
  void rowsThatAreReadStayAsTheyWereWhenTheirSlotIsUsedAgain() {
    int[] slot = {0};
    byte[][] before = {RowValues.bytes(Samples.gaussian(1, (int) SHAPE.rowElements()))};
    try (RowPool pool = backend.rowPool(SHAPE, 1)) {
      pool.write(slot, before);
      PendingRows read = pool.read(slot);
      pool.write(slot, new byte[][] {new byte[pool.rowBytes()]});
      assertThat(read.await()).isDeepEqualTo(before);
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

  /** The back end keeps its last batch, and with it the contexts, until the next. */
  @Test
  void aClosedContextLeavesNothingBehindInTheLastBatch() {
    int rows = 1000;
    try (RowPool pool = backend.rowPool(SHAPE, rows)) {
      CpuContext context = (CpuContext) backend.context(pool);
      context.extend(IntStream.range(0, rows).toArray(), new float[3][rows]);
      backend.prefillBatch(
          List.of(new Span(context, 0, rows)), new int[rows], new int[] {0}, List.of());
      assertThat(context.factors()).hasSizeGreaterThanOrEqualTo(rows * SHAPE.headDim());
      context.close();
      assertThat(context.factors()).isEmpty();
    }
  }

  @Test
  void outputsAndScatterPutRowsWhereTheyBelong() {
    try (Arena arena = backend.arena();
        RowPool pool = backend.rowPool(SHAPE, 5);
        Context context = backend.context(pool)) {
      context.extend(new int[] {0, 1, 2, 3, 4}, new float[3][5]);
      List<Span> all5 = List.of(new Span(context, 0, 5));
      float[] x = Samples.gaussian(2, 5 * 3);
      DeviceBuffer in = CpuOperationsTest.padded(backend, arena, x);
      DeviceBuffer some = arena.allocate(2, 3);
      DeviceBuffer all = arena.allocate(5, 3);
      backend.upload(x, 0, 15, all);
      Batch batch = backend.prefillBatch(all5, new int[5], new int[] {4, 1}, List.of());
      assertThat(batch.outputs()).isEqualTo(2);
      assertThat(batch.everyRow()).isFalse();
      backend.outputs(in, batch, 3, some);
      assertThat(CpuOperationsTest.download(backend, some, 6))
          .containsExactly(x[12], x[13], x[14], x[3], x[4], x[5]);
      backend.scatter(some, new int[] {0, 2}, 3, all);
      assertThat(CpuOperationsTest.download(backend, all, 9))
          .containsExactly(x[12], x[13], x[14], x[3], x[4], x[5], x[3], x[4], x[5]);
      backend.scatter(in, 3, new int[] {1}, 3, all);
      assertThat(CpuOperationsTest.download(backend, all, 6))
          .containsExactly(x[12], x[13], x[14], x[9], x[10], x[11]);
      assertThatThrownBy(() -> backend.scatter(in, 4, new int[] {0, 1}, 3, all))
          .hasMessageContaining("holds 15 elements, but 18 are needed");
      assertThatThrownBy(() -> backend.scatter(in, -1, new int[] {0}, 3, all))
          .hasMessageContaining("rows from -1 on");
      assertThatThrownBy(() -> backend.prefillBatch(all5, new int[5], new int[] {5}, List.of()))
          .hasMessageContainingAll("row 5", "0 to 4");
      assertThatThrownBy(() -> backend.scatter(some, new int[] {-1}, 3, all))
          .hasMessageContaining("row -1");
    }
  }

  @Test
  void embedLooksUpRowsAndRefusesIdsOutsideTheTable() {
    float[] values = Samples.gaussian(3, 7 * 4);
    Table table = backend.table(Samples.tensor("embed", values, 7, 4));
    try (Arena arena = backend.arena();
        RowPool pool = backend.rowPool(SHAPE, 3);
        Context context = backend.context(pool)) {
      DeviceBuffer out = arena.allocateF32(2, 4);
      context.extend(new int[] {0, 1}, new float[3][2]);
      List<Span> two = List.of(new Span(context, 0, 2));
      Batch batch = backend.prefillBatch(two, new int[] {6, 0}, new int[0], List.of());
      backend.embed(table, batch, out);
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
      assertThatThrownBy(() -> backend.embed(table, decode(context, 7), out))
          .hasMessageContainingAll("id 7", "embed");
      assertThatThrownBy(() -> backend.embed(table, batch, out))
          .hasMessageContaining("not the last one that this back end made");
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
      assertThatThrownBy(() -> Batches.of(backend, context, 2))
          .hasMessageContaining("only 1 of the context's 3 rows");
      assertThatThrownBy(() -> Batches.of(backend, List.of(new Span(context, 1, 1))))
          .hasMessageContaining("token 0 was expected");
      assertThatThrownBy(() -> Batches.of(backend, List.of()))
          .hasMessageContaining("at least one span");
      Batch batch = decode(context, 1);
      assertThatThrownBy(() -> backend.attend(3, qkv, batch, out)).hasMessageContaining("layer 3");
      assertThatThrownBy(() -> context.load(new int[] {8}, new float[3][1]))
          .hasMessageContaining("slot 8");
      assertThatThrownBy(() -> context.extend(new int[] {3}, new float[3][2]))
          .hasMessageContaining("expected [3][1]");
      assertThat(context.rows()).isEqualTo(3);
      context.extend(new int[] {3}, new float[3][1]);
      assertThatThrownBy(() -> backend.attend(0, qkv, batch, out))
          .hasMessageContainingAll("had 3 rows", "has 4 now");
      context.close();
      assertThatThrownBy(() -> backend.attend(0, qkv, batch, out)).hasMessageContaining("closed");
    }
  }

  private Batch decode(Context context, int id) {
    return backend.decodeBatch(List.of(context), new int[] {id}, List.of());
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

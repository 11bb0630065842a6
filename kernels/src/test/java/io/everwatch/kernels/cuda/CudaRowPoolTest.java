// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.everwatch.kernels.DType;
import io.everwatch.kernels.DeviceException;
import io.everwatch.kernels.KvShape;
import io.everwatch.kernels.PendingRows;
import io.everwatch.kernels.Samples;
import io.everwatch.kernels.Span;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Rows between host and device, contexts' room, what is refused. */
@RequiresDevice
class CudaRowPoolTest {
  private static final long SEED = 5;
  private static final KvShape SHAPE = new KvShape(3, 4, 2, 32, new int[] {4, 6, 6}, 10_000);

  private CudaDevice device;
  private CudaStream stream;

  @BeforeEach
  void open() {
    device = CudaDevice.open(0);
    stream = CudaStream.open(device);
  }

  @AfterEach
  void close() {
    stream.close();
    device.close();
  }

  private static byte[][] rows(CudaRowPool pool, long seed, int count) {
    Random random = new Random(seed);
    byte[][] rows = new byte[count][pool.rowBytes()];
    for (byte[] row : rows) {
      random.nextBytes(row);
    }
    return rows;
  }

  private CudaRowPool pool(DType dtype, int slots, int workBlocks, int rowsPerPiece) {
    int rowBytes = (int) SHAPE.rowElements() * dtype.sizeBytes();
    return new CudaRowPool(stream, SHAPE, dtype, slots, workBlocks, rowsPerPiece * rowBytes);
  }

  @ParameterizedTest
  @EnumSource(names = {"BF16", "F32"})
  void rowsComeBackAsTheyWereWrittenWhateverThePieces(DType dtype) {
    for (int rowsPerPiece : new int[] {1, 3, 100}) {
      try (CudaRowPool pool = pool(dtype, 40, 4, rowsPerPiece)) {
        int[] slots = Arrays.copyOf(Samples.permutation(SEED, 40), 17);
        byte[][] rows = rows(pool, SEED, 17);
        pool.write(slots, rows);
        int[] reversed = new int[17];
        for (int i = 0; i < 17; i++) {
          reversed[i] = slots[16 - i];
        }
        byte[][] back = pool.read(reversed).await();
        for (int i = 0; i < 17; i++) {
          assertThat(back[i]).as("row %d by pieces of %d", i, rowsPerPiece).isEqualTo(rows[16 - i]);
        }
      }
    }
  }

  @Test
  @EnabledOnEmulation
  void theCheckerHasNothingToReport() {
    stream.close();
    device.close();
    device = Emulation.openChecked();
    stream = CudaStream.open(device);
    try (CudaRowPool pool = pool(DType.BF16, 9, 4, 2)) {
      byte[][] rows = rows(pool, SEED, 5);
      pool.write(new int[] {8, 0, 3, 4, 5}, rows);
      assertThat(pool.read(new int[] {8, 0, 3, 4, 5}).await()).isDeepEqualTo(rows);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"eager", "lazy"})
  @EnabledOnEmulation
  void aReadGivesTheRowsAsTheyWereWhenItWasAskedFor(String streams) {
    Emulation.set("streams=" + streams);
    try (CudaRowPool pool = pool(DType.BF16, 40, 4, 3)) {
      int[] slots = {7, 1, 30, 12, 3, 4, 5};
      byte[][] before = rows(pool, SEED, 7);
      pool.write(slots, before);
      PendingRows read = pool.read(slots);
      pool.write(new int[] {12, 6}, rows(pool, SEED + 1, 2));

      assertThat(read.await()).isDeepEqualTo(before);
      assertThat(read.await()).as("again").isDeepEqualTo(before);
      assertThat(pool.read(new int[] {12}).await()[0]).isNotEqualTo(before[3]);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"eager", "lazy"})
  @EnabledOnEmulation
  void aSlotIsNotFilledByAPassBeforeItsReadIsThrough(String streams) {
    Emulation.set("streams=" + streams);
    try (AttentionStage stage = new AttentionStage(device, SHAPE, DType.BF16, 64, SEED)) {
      AttentionStream data = new AttentionStream(SHAPE, DType.BF16, SEED);
      int[] slots = {3, 9, 11};
      byte[][] before = rows(stage.pool, SEED, 3);
      stage.pool.write(slots, before);
      PendingRows read = stage.pool.read(slots);
      AttentionStage.Actor actor = stage.actor(data, new int[0]);
      stage.prefillInto(actor, slots);

      assertThat(read.await()).isDeepEqualTo(before);
      byte[] after = stage.pool.read(slots).await()[0];
      assertThat(after).isNotEqualTo(before[0]);
    }
  }

  @Test
  @EnabledOnEmulation
  void aReadSeesWhatPassesBeforeItComputed() {
    Emulation.set("streams=lazy");
    try (AttentionStage stage = new AttentionStage(device, SHAPE, DType.BF16, 64, SEED)) {
      AttentionStream data = new AttentionStream(SHAPE, DType.BF16, SEED);
      AttentionStage.Actor actor = stage.actor(data, 2);
      stage.prefillLater(List.of(actor), 1);
      byte[] row = stage.pool.read(new int[] {actor.context.slot(2)}).await()[0];

      int kv = 2 * SHAPE.kvHeads() * SHAPE.headDim() * 2;
      int from = AttentionStage.LAYER * kv;
      assertThat(Arrays.copyOfRange(row, from, from + kv))
          .isEqualTo(Arrays.copyOfRange(data.bytes(2), from, from + kv));
    }
  }

  @Test
  @EnabledOnEmulation
  void rowsAreNotReplacedBeforeThePassThatNeedsThem() {
    Emulation.set("streams=lazy");
    try (AttentionStage stage = new AttentionStage(device, SHAPE, DType.BF16, 64, SEED)) {
      AttentionStream data = new AttentionStream(SHAPE, DType.BF16, SEED);
      float[] expected = stage.prefill(List.of(stage.actor(data, 20)), 3).get(0);
      AttentionStage.Actor actor = stage.actor(data, 20);
      int[] slots = {actor.context.slot(0), actor.context.slot(13)};
      var pass = stage.prefillLater(List.of(actor), 3);
      stage.pool.write(slots, rows(stage.pool, SEED, 2));
      assertThat(stage.pool.read(slots).await()).isDeepEqualTo(rows(stage.pool, SEED, 2));

      assertThat(pass.get().get(0)).containsExactly(expected);
    }
  }

  @Test
  void anyThreadMayWaitForARead() throws Exception {
    var others = Executors.newFixedThreadPool(2);
    try (CudaRowPool pool = pool(DType.BF16, 40, 4, 3)) {
      int[] slots = Samples.permutation(SEED, 40);
      byte[][] rows = rows(pool, SEED, 40);
      pool.write(slots, rows);
      PendingRows read = pool.read(slots);
      Future<byte[][]> one = others.submit(read::await);
      Future<byte[][]> two = others.submit(read::await);
      assertThat(one.get()).isDeepEqualTo(rows);
      assertThat(two.get()).isSameAs(one.get());
    } finally {
      others.shutdown();
    }
  }

  @Test
  void aContextGivesItsBlocksBack() {
    try (CudaRowPool pool = pool(DType.BF16, 200, 3, 8)) {
      float[][] positions = new AttentionStream(SHAPE, DType.BF16, SEED).positions(0, 130);
      int[] slots = Arrays.copyOf(Samples.permutation(SEED, 200), 130);
      for (int i = 0; i < 3; i++) {
        try (CudaContext context = pool.context()) {
          context.extend(slots, positions);
          assertThat(pool.workBlocks().available()).isZero();
        }
        assertThat(pool.workBlocks().available()).isEqualTo(3);
      }
    }
  }

  @Test
  void refusesRowsThatTheWorkingCopyHasNoRoomForAndStaysUsable() {
    try (CudaRowPool pool = pool(DType.BF16, 300, 2, 8);
        CudaContext context = pool.context()) {
      AttentionStream data = new AttentionStream(SHAPE, DType.BF16, SEED);
      int[] slots = Samples.permutation(SEED, 300);
      context.extend(Arrays.copyOf(slots, 100), data.positions(0, 100));
      assertThatThrownBy(
              () -> context.load(Arrays.copyOfRange(slots, 100, 200), data.positions(100, 200)))
          .isInstanceOfSatisfying(
              DeviceException.class,
              e -> assertThat(e.failure()).isEqualTo(DeviceException.Failure.REFUSED))
          .hasMessageContaining("2 blocks of 64 rows wanted, 0 of 2 are free")
          .hasMessageContaining("let fewer streams take a step together");
      assertThat(context.rows()).isEqualTo(100);
      context.extend(Arrays.copyOfRange(slots, 100, 128), data.positions(100, 128));
    }
  }

  @Test
  void refusesWhatDoesNotFit() {
    try (CudaRowPool pool = pool(DType.BF16, 10, 2, 8);
        CudaContext context = pool.context()) {
      float[][] one = {{0}, {0}, {0}};
      assertThatThrownBy(() -> pool.write(new int[] {10}, rows(pool, SEED, 1)))
          .hasMessageContaining("no slot 10; expected 0 to 9");
      assertThatThrownBy(() -> pool.read(new int[] {-1})).hasMessageContaining("no slot -1");
      assertThatThrownBy(() -> pool.write(new int[] {1, 2}, rows(pool, SEED, 1)))
          .hasMessageContaining("1 rows for 2 slots");
      assertThatThrownBy(() -> pool.write(new int[] {2, 2}, rows(pool, SEED, 2)))
          .hasMessageContaining("slot 2 is written twice");
      assertThatThrownBy(() -> pool.write(new int[] {1}, new byte[1][7]))
          .hasMessageContaining("has 7 bytes; expected 768")
          .hasMessageContaining("another model?");
      assertThatThrownBy(() -> context.load(new int[] {10}, one))
          .hasMessageContaining("no slot 10");
      assertThatThrownBy(() -> context.load(new int[] {1, 2}, one))
          .hasMessageContaining("expected [3][2]");
      assertThatThrownBy(() -> context.load(new int[] {1}, new float[][] {{0}, {Float.NaN}, {0}}))
          .hasMessageContaining("position NaN");
      context.load(new int[] {1}, one);
      context.extend(new int[] {2}, one);
      assertThatThrownBy(() -> prefill(pool, context, 0, 2))
          .hasMessageContaining("only 1 of the context's 2 rows were extended");
      assertThatThrownBy(() -> prefill(pool, context, 1, 1)).hasMessageContaining("where row 0");
      assertThatThrownBy(() -> pool.batches().decode(List.of(context), new int[2]))
          .hasMessageContaining("1 contexts, 2 ids");
      assertThatThrownBy(
              () ->
                  pool.batches()
                      .prefill(List.of(new Span(context, 0, 1)), new int[1], new int[] {1}))
          .hasMessageContaining("output row 1; expected 0 to 0");
      try (CudaRowPool other = pool(DType.BF16, 10, 2, 8)) {
        assertThatThrownBy(() -> other.batches().decode(List.of(context), new int[1]))
            .hasMessageContaining("two row pools");
      }
    }
  }

  private static void prefill(CudaRowPool pool, CudaContext context, int first, int count) {
    pool.batches()
        .prefill(List.of(new Span(context, first, count)), new int[first + count], new int[0]);
  }

  @Test
  void refusesShapesWithoutAKernel() {
    KvShape odd = new KvShape(1, 1, 1, 48, new int[] {8, 8, 8}, 1e4);
    assertThatThrownBy(() -> new CudaRowPool(stream, odd, DType.BF16, 4))
        .hasMessageContaining("head dim 48")
        .hasMessageContaining("use the cpu back end");
  }

  @Test
  void refusesAPoolLargerThanTheDevice() {
    long before = device.freeBytes();
    KvShape large = new KvShape(28, 28, 4, 128, new int[] {16, 24, 24}, 1e6);
    assertThatThrownBy(() -> new CudaRowPool(stream, large, DType.BF16, 30_000_000))
        .isInstanceOfSatisfying(
            DeviceException.class,
            e -> assertThat(e.failure()).isEqualTo(DeviceException.Failure.REFUSED))
        .hasMessageContaining("row pool of 30,000,000 slots");
    assertThat(device.freeBytes()).isEqualTo(before);
  }

  @Test
  void findsTheMostSlotsThatFit() {
    for (long bytes : new long[] {1 << 20, 1 << 25, 3L << 30}) {
      int slots = CudaRowPool.slotsWithin(SHAPE, DType.BF16, bytes);
      assertThat(CudaRowPool.bytesFor(SHAPE, DType.BF16, slots + 1)).isGreaterThan(bytes);
      if (slots > 0) {
        assertThat(CudaRowPool.bytesFor(SHAPE, DType.BF16, slots)).isLessThanOrEqualTo(bytes);
      }
    }
  }

  @Test
  void readsThatNobodyWaitedForEndWithThePool() {
    PendingRows read;
    try (CudaRowPool pool = pool(DType.BF16, 10, 2, 8)) {
      read = pool.read(new int[] {1});
    }
    assertThatThrownBy(read::await)
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("after it was closed");
  }
}

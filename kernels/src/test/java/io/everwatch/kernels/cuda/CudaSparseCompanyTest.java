// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.everwatch.kernels.Arena;
import io.everwatch.kernels.Backend;
import io.everwatch.kernels.BackendOptions;
import io.everwatch.kernels.Backends;
import io.everwatch.kernels.Batch;
import io.everwatch.kernels.BlockGrid;
import io.everwatch.kernels.BlockMask;
import io.everwatch.kernels.BlockSelection;
import io.everwatch.kernels.BlockSelection.Head;
import io.everwatch.kernels.BlockSelection.Pattern;
import io.everwatch.kernels.ChosenBlocks;
import io.everwatch.kernels.Context;
import io.everwatch.kernels.DType;
import io.everwatch.kernels.DeviceBuffer;
import io.everwatch.kernels.Draw;
import io.everwatch.kernels.FlexPrefill;
import io.everwatch.kernels.RowPool;
import io.everwatch.kernels.RowValues;
import io.everwatch.kernels.SamplingRules;
import io.everwatch.kernels.Span;
import io.everwatch.kernels.SparseCounters;
import io.everwatch.kernels.Vocabulary;
import io.everwatch.kernels.cuda.SparseStage.Part;
import io.everwatch.kernels.cuda.SparseStage.Result;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Collections;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** No bit of a span that chooses depends on what is around it; and what is counted of it. */
@RequiresDevice
class CudaSparseCompanyTest {
  private static final long SEED = SparseCase.SEED;
  private static final FlexPrefill FLEX = SparseCase.FLEX;

  /** Each head dim; groups of 3 and 7; rows in parts; blocks of halves of tiles. */
  static Stream<Arguments> forms() {
    return Stream.of(
        Arguments.of(DType.BF16, SparseCase.CASES.get(0)),
        Arguments.of(DType.BF16, SparseCase.of(3, 1, 128, 70, 201, SparseCase.WIDE)),
        Arguments.of(DType.BF16, SparseCase.CASES.get(4)),
        Arguments.of(DType.F32, SparseCase.of(2, 1, 32, 70, 140, FLEX)));
  }

  @ParameterizedTest(name = "{0}, {1}")
  @MethodSource("forms")
  void theOrderOfThreadsChangesNoBitAndTheCheckerHasNothingToReport(DType dtype, SparseCase one) {
    Part part = one.part(dtype, SEED);
    EveryOrder.run(
        device ->
            SparseCase.bits(SparseCase.attend(device, dtype, one.shape(), SEED, part).get(0)));
  }

  @ParameterizedTest
  @EnumSource(names = {"BF16", "F32"})
  void companySlotsAndOrderChangeNoBit(DType dtype) {
    SparseCase one = SparseCase.CASES.get(0);
    Part own = one.part(dtype, SEED);
    float[] alone = SparseCase.bits(one.attend(dtype));
    for (int others : new int[] {1, 7}) {
      Part[] parts = new Part[others + 1];
      for (int i = 0; i < others; i++) {
        SparseInput input = new SparseInput(one.shape(), dtype, 70 + 17 * i, SEED + 10L * (i + 1));
        // every third is dense
        parts[i] = new Part(input, 20 + 5 * i, i % 3 == 1 ? null : FLEX);
      }
      for (int place : new int[] {0, others}) {
        Part[] all = Arrays.copyOf(parts, others + 1);
        System.arraycopy(parts, place, all, place + 1, others - place);
        all[place] = own;
        try (CudaDevice device = CudaDevice.open(0)) {
          assertThat(
                  SparseCase.bits(
                      SparseCase.attend(device, dtype, one.shape(), SEED + place, all).get(place)))
              .as("at %d among %d others", place, others)
              .containsExactly(alone);
        }
      }
    }
  }

  /** The diagonal, the first block and every {@code step}th. */
  private static ChosenBlocks prescribed(SparseCase one, int step) {
    BlockGrid grid = one.grid();
    byte[] cells = new byte[grid.rows() * grid.blocks()];
    for (int row = 0; row < grid.rows(); row++) {
      int diagonal = grid.firstRow() + row;
      for (int c = 0; c <= diagonal; c++) {
        cells[row * grid.blocks() + c] = (byte) (c == diagonal || c % step == 0 ? 1 : 0);
      }
    }
    BlockMask mask = BlockMask.of(grid.rows(), grid.blocks(), cells, 0);
    return new ChosenBlocks(grid.block(), Collections.nCopies(one.shape().heads(), mask));
  }

  @ParameterizedTest
  @EnumSource(names = {"BF16", "F32"})
  void prescribedBlocksOfSeveralSpansAreEachTheirOwn(DType dtype) {
    SparseCase one = SparseCase.CASES.get(0);
    SparseInput input = one.part(dtype, SEED).input();
    Part[] parts = {
      new Part(input, one.queries(), prescribed(one, 2)),
      one.part(dtype, SEED),
      new Part(input, one.queries(), prescribed(one, 3)),
      new Part(input, one.queries(), prescribed(one, 5))
    };
    try (CudaDevice device = CudaDevice.open(0)) {
      List<Result> together = SparseCase.attend(device, dtype, one.shape(), SEED, parts);
      for (int i = 0; i < parts.length; i++) {
        Result alone = SparseCase.attend(device, dtype, one.shape(), SEED, parts[i]).get(0);
        assertThat(SparseCase.bits(together.get(i)))
            .as("span %d of %d", i, parts.length)
            .containsExactly(SparseCase.bits(alone));
        if (parts[i].selector() instanceof ChosenBlocks chosen) {
          assertThat(together.get(i).chosen().heads())
              .extracting(Head::mask)
              .isEqualTo(chosen.masks());
        }
      }
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"BF16", "F32"})
  void denseSpansBesideAreAsWithout(DType dtype) {
    SparseCase one = SparseCase.CASES.get(0);
    Part dense = new Part(new SparseInput(one.shape(), dtype, 200, SEED + 9), 60, null);
    try (CudaDevice device = CudaDevice.open(0)) {
      float[] alone = SparseCase.attend(device, dtype, one.shape(), SEED, dense).get(0).out();
      assertThat(alone).doesNotContain(Float.NaN);
      assertThat(
              SparseCase.attend(device, dtype, one.shape(), SEED, one.part(dtype, SEED), dense)
                  .get(1)
                  .out())
          .containsExactly(alone);
    }
  }

  @Test
  void countsComeWithTheTokensOfTheNextSampling() {
    SparseCase one = SparseCase.CASES.get(0);
    Part part = one.part(DType.F32, SEED);
    int width = one.shape().heads() * one.shape().headDim();
    try (Backend backend =
            Backends.open("cuda", new BackendOptions(1, false).withDtype(DType.F32));
        RowPool pool = backend.rowPool(one.shape(), one.keys());
        Context context = backend.context(pool);
        Arena arena = backend.arena()) {
      BitSet drawable = new BitSet();
      drawable.set(0, 8);
      Vocabulary vocabulary = backend.vocabulary(8, drawable);
      int past = one.keys() - one.queries();
      int[] slots = IntStream.range(0, one.keys()).toArray();
      byte[][] rows = new byte[past][];
      Arrays.setAll(rows, row -> RowValues.bytes(part.input().cached(row)));
      pool.write(Arrays.copyOf(slots, past), rows);
      context.load(Arrays.copyOf(slots, past), new float[3][past]);
      context.extend(Arrays.copyOfRange(slots, past, one.keys()), new float[3][one.queries()]);
      Batch batch =
          backend.prefillBatch(
              List.of(new Span(context, 0, one.queries(), FLEX)),
              new int[one.queries()],
              new int[] {one.queries() - 1},
              List.of(new Draw(new SamplingRules(1, 0, 0, 1), 1, 0, 0)));
      float[] qkv = new float[one.queries() * part.input().token(0).length];
      for (int i = 0; i < one.queries(); i++) {
        float[] token = part.input().token(past + i);
        System.arraycopy(token, 0, qkv, i * token.length, token.length);
      }
      DeviceBuffer in = arena.allocate(batch.rows(), qkv.length / one.queries());
      DeviceBuffer out = arena.allocate(batch.rows(), width);
      DeviceBuffer logits = arena.allocateF32(1, 8);
      backend.upload(qkv, 0, qkv.length, in);
      backend.upload(new float[] {0, 1, 2, 9, 4, 5, 6, 7}, 0, 8, logits);
      backend.attend(0, in, batch, out);
      BlockSelection selection = backend.selection(batch, 0);
      backend.attend(0, in, batch, out);
      assertThat(backend.sparseCounters()).isEqualTo(SparseCounters.NONE);

      assertThat(backend.sample(logits, vocabulary, batch)).containsExactly(3);

      SparseCounters counts = backend.sparseCounters();
      long aware =
          selection.heads().stream().filter(h -> h.pattern() == Pattern.QUERY_AWARE).count();
      long chosen = selection.heads().stream().mapToLong(h -> h.mask().count()).sum();
      double kept =
          selection.heads().stream().mapToDouble(h -> h.probe().orElseThrow().keptMass()).sum();
      assertThat(counts.spans()).isEqualTo(2);
      assertThat(counts.queryAware()).isEqualTo(2 * aware);
      assertThat(counts.verticalSlash()).isEqualTo(2 * (one.shape().heads() - aware));
      assertThat(counts.chosenCells()).isEqualTo(2 * chosen);
      assertThat(counts.causalCells())
          .isEqualTo(2L * one.shape().heads() * one.grid().causalCells());
      assertThat(counts.keptSamples()).isEqualTo(2L * one.shape().heads());
      assertThat(counts.keptMass()).isCloseTo(2 * kept, within(1e-4));
      assertThat(counts.meanKeptMass()).isBetween(0.1, 1.0);

      ChosenBlocks given = prescribed(one, 2);
      Batch next =
          backend.prefillBatch(
              List.of(new Span(context, 0, one.queries(), given)),
              new int[one.queries()],
              new int[] {one.queries() - 1},
              List.of(new Draw(new SamplingRules(1, 0, 0, 1), 1, 0, 1)));
      backend.attend(0, in, next, out);
      backend.sample(logits, vocabulary, next);
      SparseCounters since = backend.sparseCounters().since(counts);
      assertThat(since)
          .as("nothing of prescribed blocks was probed")
          .isEqualTo(
              new SparseCounters(
                  1,
                  0,
                  0,
                  given.masks().stream().mapToLong(BlockMask::count).sum(),
                  one.shape().heads() * one.grid().causalCells(),
                  0,
                  0));
      assertThat(backend.sparseSpace(one.shape(), one.queries(), one.keys(), FLEX)).isPositive();
      assertThat(backend.sparseSpace(one.shape(), 1, one.keys(), FLEX)).isZero();
    }
  }
}

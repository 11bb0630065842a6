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
import io.everwatch.kernels.BlockGrid;
import io.everwatch.kernels.BlockMask;
import io.everwatch.kernels.BlockSelection;
import io.everwatch.kernels.BlockSelection.Head;
import io.everwatch.kernels.BlockSelection.Pattern;
import io.everwatch.kernels.BlockSelector;
import io.everwatch.kernels.ChosenBlocks;
import io.everwatch.kernels.Context;
import io.everwatch.kernels.DeviceBuffer;
import io.everwatch.kernels.FlexPrefill;
import io.everwatch.kernels.KvShape;
import io.everwatch.kernels.RowPool;
import io.everwatch.kernels.Samples;
import io.everwatch.kernels.Span;
import io.everwatch.kernels.SparseCounters;
import io.everwatch.kernels.Tolerance;
import io.everwatch.kernels.sparse.HeadSelector;
import io.everwatch.kernels.sparse.MaskedReference;
import io.everwatch.kernels.sparse.SparsePass;
import io.everwatch.kernels.sparse.SparsePass.Result;
import io.everwatch.kernels.sparse.SparsePass.Stream;
import io.everwatch.kernels.sparse.StructuredHeads;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Attention over chosen blocks on the CPU, with both kinds of products. */
class CpuSparseAttentionTest {
  private static final FlexPrefill FLEX = new FlexPrefill(32, 0.8, 0.2, 32, 0, false);

  private static Backend open(boolean plain) {
    return Backends.open("cpu", new BackendOptions(1, plain));
  }

  private static StructuredHeads heads(long seed, int block, int queries, int keys) {
    return StructuredHeads.of(seed, new BlockGrid(block, queries, keys), 6, 2, 16);
  }

  /** Half of the cells, the diagonal not always among them. */
  private static ChosenBlocks random(long seed, StructuredHeads heads) {
    BlockGrid grid = heads.grid();
    Random random = new Random(seed);
    List<BlockMask> masks = new ArrayList<>();
    for (int head = 0; head < heads.heads(); head++) {
      byte[] cells = new byte[grid.rows() * grid.blocks()];
      for (int row = 0; row < grid.rows(); row++) {
        int diagonal = grid.firstRow() + row;
        cells[row * grid.blocks() + random.nextInt(diagonal + 1)] = 1; // no row is empty
        for (int c = 0; c <= diagonal; c++) {
          cells[row * grid.blocks() + c] |= (byte) random.nextInt(2);
        }
      }
      masks.add(BlockMask.of(grid.rows(), grid.blocks(), cells, 0));
    }
    return new ChosenBlocks(grid.block(), masks);
  }

  @ParameterizedTest(name = "plain {0}, block {1}, {2} queries of {3} keys")
  @CsvSource({
    "true,32,300,300", "false,32,300,300", "true,32,77,413", "false,32,77,413",
    "true,64,129,700", "false,64,129,700", "true,128,260,260", "false,128,260,260",
    "true,32,5,500", "false,32,5,500", "true,96,1,200", "false,96,1,200"
  })
  void attentionOverPrescribedBlocksMatchesTheDoubleReference(
      boolean plain, int block, int queries, int keys) {
    StructuredHeads heads = heads(3, block, queries, keys);
    ChosenBlocks chosen = random(keys, heads);
    MaskedReference expected = MaskedReference.of(heads, chosen.masks());
    try (Backend backend = open(plain)) {
      Result result = SparsePass.run(backend, heads, chosen);

      double limit =
          Tolerance.ofAttention(
              keys, 16, Math.sqrt(scoreSize(heads)), Tolerance.largest(heads.v()));
      assertThat(MaskedReference.worst(expected.out(), result.out())).isLessThan(limit);
      assertThat(MaskedReference.worst(expected.lse(), result.chosen().lse())).isLessThan(limit);
      assertThat(result.chosen().heads()).extracting(Head::mask).isEqualTo(chosen.masks());
      assertThat(result.chosen().heads())
          .allMatch(head -> head.pattern() == Pattern.PRESCRIBED && head.probe().isEmpty());
    }
  }

  /** A square of which no product of two components is larger. */
  private static double scoreSize(StructuredHeads heads) {
    return Tolerance.largest(heads.q()) * Tolerance.largest(heads.k());
  }

  @ParameterizedTest(name = "plain {0}, {1} queries of {2} keys")
  @CsvSource({"true,300,300", "false,300,300", "true,70,401", "false,70,401"})
  void everythingChosenEqualsDenseAttention(boolean plain, int queries, int keys) {
    StructuredHeads heads = heads(5, 32, queries, keys);
    BlockMask all = BlockMask.dense(heads.grid());
    try (Backend backend = open(plain)) {
      float[] dense = SparsePass.run(backend, heads, null).out();
      float[] chosen =
          SparsePass.run(backend, heads, new ChosenBlocks(32, Collections.nCopies(6, all))).out();
      assertThat(Tolerance.worstDifference(chosen, dense))
          .isLessThan(
              Tolerance.ofAttention(
                  keys, 16, Math.sqrt(scoreSize(heads)), Tolerance.largest(heads.v())));
    }
  }

  /** The other tests have all rows at position 0. */
  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void queriesBehindAContextAreTurnedByTheirOwnPositions(boolean plain) {
    try (Backend backend = open(plain)) {
      BlockMask all = BlockMask.dense(new BlockGrid(32, 60, 160));
      float[] dense = behindContext(backend, null);
      float[] chosen = behindContext(backend, new ChosenBlocks(32, List.of(all, all)));
      assertThat(Tolerance.largest(dense)).isGreaterThan(0.1);
      double largest = Tolerance.largest(Samples.gaussian(0, 100 * 32));
      assertThat(Tolerance.worstDifference(chosen, dense))
          .isLessThan(Tolerance.ofAttention(160, 8, largest, largest));
    }
  }

  /** The last 60 of 160 rows at positions of their own. */
  private static float[] behindContext(Backend backend, @Nullable BlockSelector selector) {
    KvShape shape = new KvShape(1, 2, 1, 8, new int[] {4, 0, 0}, 10_000);
    float[] values = new float[60 * 16];
    try (Arena arena = backend.arena();
        RowPool pool = backend.rowPool(shape, 160);
        Context context = backend.context(pool)) {
      for (int from : new int[] {0, 100}) {
        int rows = from == 0 ? 100 : 60;
        float[] positions = new float[rows];
        for (int i = 0; i < rows; i++) {
          positions[i] = from + i;
        }
        context.extend(
            IntStream.range(from, from + rows).toArray(),
            new float[][] {positions, positions, positions});
        Batch batch =
            Batches.of(backend, List.of(new Span(context, 0, rows, from == 0 ? null : selector)));
        DeviceBuffer in = arena.allocate(rows, 32);
        DeviceBuffer out = arena.allocate(rows, 16);
        backend.upload(Samples.gaussian(from, rows * 32), 0, rows * 32, in);
        backend.attend(0, in, batch, out);
        backend.download(out, 0, values, 0, 60 * 16);
      }
    }
    return values;
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void headsChooseAsTheReferenceDoesAndAttendToThat(boolean plain) {
    List<Pattern> seen = new ArrayList<>();
    for (long seed = 1; seed <= 5; seed++) {
      StructuredHeads heads = heads(seed, 32, 150 + 37 * (int) seed, 300 + 41 * (int) seed);
      HeadSelector reference = HeadSelector.of(FLEX);
      try (Backend backend = open(plain)) {
        Result result = SparsePass.run(backend, heads, FLEX);
        for (int head = 0; head < 6; head++) {
          Head expected = reference.select(head, heads.grid(), heads.vectors(head));
          Head actual = result.chosen().heads().get(head);
          assertThat(actual.pattern())
              .as("seed %d, head %d", seed, head)
              .isEqualTo(expected.pattern());
          assertThat(actual.mask()).as("seed %d, head %d", seed, head).isEqualTo(expected.mask());
          seen.add(actual.pattern());
        }
        MaskedReference attended =
            MaskedReference.of(heads, result.chosen().heads().stream().map(Head::mask).toList());
        assertThat(MaskedReference.worst(attended.out(), result.out())).isLessThan(1e-4);
        assertThat(MaskedReference.worst(attended.lse(), result.chosen().lse())).isLessThan(1e-4);
      }
    }
    assertThat(seen).contains(Pattern.VERTICAL_SLASH, Pattern.QUERY_AWARE);
  }

  /** The largest scores lie where nobody looks for a reference first. */
  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void theSumOfExponentialsIsRightWhereverTheLargestScoreIs(boolean plain) {
    BlockGrid grid = new BlockGrid(32, 40, 400);
    for (int large : new int[] {0, 130, 200, 330, 365}) {
      float[] k = new float[400 * 16];
      Arrays.fill(k, large * 16, large * 16 + 16, 30f); // 120 nats above the others
      float[] q = new float[40 * 16];
      Arrays.fill(q, 1);
      StructuredHeads heads = new StructuredHeads(grid, 1, 1, 16, q, k, new float[400 * 16]);
      ChosenBlocks all = new ChosenBlocks(32, List.of(BlockMask.dense(grid)));
      MaskedReference expected = MaskedReference.of(heads, all.masks());
      try (Backend backend = open(plain)) {
        Result result = SparsePass.run(backend, heads, all);
        assertThat(MaskedReference.worst(expected.lse(), result.chosen().lse()))
            .as("largest score at %d", large)
            .isLessThan(1e-4);
      }
    }
  }

  private static List<Stream> company() {
    List<Stream> streams = new ArrayList<>();
    for (int i = 0; i < 6; i++) {
      StructuredHeads heads = heads(i, 32, 40 + 45 * i, 90 + 77 * i);
      streams.add(new Stream(heads, i % 3 == 1 ? null : i == 5 ? random(i, heads) : FLEX));
    }
    return streams;
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void aStreamsBitsAreTheSameAloneAndWithOthersInAnySlots(boolean plain) {
    try (Backend backend = open(plain)) {
      List<Result> together = SparsePass.run(backend, company(), 7);
      List<Result> elsewhere = SparsePass.run(backend, company(), 8);
      for (int i = 0; i < together.size(); i++) {
        Result alone = SparsePass.run(backend, List.of(company().get(i)), 9).get(0);
        same(together.get(i), alone, "stream %d alone".formatted(i));
        same(elsewhere.get(i), alone, "stream %d in other slots".formatted(i));
      }
    }
  }

  private static void same(Result actual, Result expected, String of) {
    assertThat(actual.out()).as(of).isEqualTo(expected.out());
    if (expected.selection() != null) {
      assertThat(actual.chosen().lse()).as(of).isEqualTo(expected.chosen().lse());
      assertThat(actual.chosen().heads())
          .as(of)
          .extracting(Head::mask)
          .isEqualTo(expected.chosen().heads().stream().map(Head::mask).toList());
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void theNumberOfThreadsChangesNoBit(boolean plain) {
    List<Result> expected;
    try (Backend one = open(plain)) {
      expected = SparsePass.run(one, company(), 7);
    }
    for (int threads : new int[] {2, 5}) {
      try (Backend backend = Backends.open("cpu", new BackendOptions(threads, plain))) {
        List<Result> actual = SparsePass.run(backend, company(), 7);
        for (int i = 0; i < expected.size(); i++) {
          same(actual.get(i), expected.get(i), "stream %d, %d threads".formatted(i, threads));
        }
      }
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void aSpanOfFewKeysIsAttendedDenselyBitForBit(boolean plain) {
    StructuredHeads heads = heads(2, 32, 50, 64);
    try (Backend backend = open(plain)) {
      Result dense = SparsePass.run(backend, heads, null);
      Result chosen = SparsePass.run(backend, heads, FLEX);

      assertThat(chosen.out()).isEqualTo(dense.out());
      assertThat(chosen.chosen().lse()).isEmpty();
      assertThat(chosen.chosen().heads())
          .hasSize(6)
          .allMatch(head -> head.pattern() == Pattern.DENSE)
          .allMatch(head -> head.mask().equals(BlockMask.dense(heads.grid())));
      assertThat(backend.sparseCounters()).isEqualTo(SparseCounters.NONE);
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void countsWhatWasChosen(boolean plain) {
    StructuredHeads heads = heads(4, 32, 200, 400);
    try (Backend backend = open(plain)) {
      BlockSelection chosen = SparsePass.run(backend, heads, FLEX).chosen();
      SparseCounters first = backend.sparseCounters();
      SparsePass.run(backend, heads, random(1, heads));
      SparseCounters second = backend.sparseCounters().since(first);

      long cells = chosen.heads().stream().mapToLong(head -> head.mask().count()).sum();
      long queryAware =
          chosen.heads().stream().filter(head -> head.pattern() == Pattern.QUERY_AWARE).count();
      double kept =
          chosen.heads().stream().mapToDouble(head -> head.probe().orElseThrow().keptMass()).sum();
      long causal = 6 * heads.grid().causalCells();
      assertThat(first)
          .isEqualTo(new SparseCounters(1, 6 - queryAware, queryAware, cells, causal, kept, 6));
      assertThat(first.density()).isEqualTo((double) cells / causal).isLessThan(1);
      assertThat(first.meanKeptMass()).isEqualTo(kept / 6).isBetween(0.1, 1.0);
      assertThat(second.spans()).isEqualTo(1);
      assertThat(second.keptSamples()).isZero();
      assertThat(second.causalCells()).isEqualTo(causal);
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void aStreamOfNotANumbersHarmsNoOther(boolean plain) {
    StructuredHeads good = heads(1, 32, 150, 300);
    StructuredHeads bad = heads(2, 32, 150, 300);
    Arrays.fill(bad.k(), Float.NaN);
    try (Backend backend = open(plain)) {
      Result expected = SparsePass.run(backend, good, FLEX);
      List<Result> both =
          SparsePass.run(backend, List.of(new Stream(bad, FLEX), new Stream(good, FLEX)), 1);
      same(both.get(1), expected, "beside a stream of NaN");
      same(SparsePass.run(backend, good, FLEX), expected, "after a stream of NaN");
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void refusesChoicesThatDoNotFitBeforeAnythingRuns(boolean plain) {
    StructuredHeads heads = heads(1, 32, 100, 300);
    StructuredHeads longer = heads(1, 32, 100, 400);
    try (Backend backend = open(plain)) {
      assertThatThrownBy(() -> SparsePass.run(backend, heads, random(1, longer)))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContainingAll("13 key blocks", "expected 4 and 10", "end of 300");
      BlockMask all = BlockMask.dense(heads.grid());
      assertThatThrownBy(
              () -> SparsePass.run(backend, heads, new ChosenBlocks(32, List.of(all, all))))
          .hasMessageContainingAll("2 masks", "6 query heads");
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void refusesMoreCellsThanItCanChooseFrom(boolean plain) {
    KvShape shape = new KvShape(1, 1, 1, 2, new int[] {1, 0, 0}, 10_000);
    int rows = 32 * 8200; // 8200 x 8200 cells
    try (Backend backend = open(plain);
        RowPool pool = backend.rowPool(shape, rows);
        Context context = backend.context(pool)) {
      context.extend(IntStream.range(0, rows).toArray(), new float[3][rows]);
      assertThatThrownBy(() -> Batches.of(backend, List.of(new Span(context, 0, rows, FLEX))))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContainingAll("8200 row blocks", "67108864", "larger blocks than 32");
      Batches.of(backend, List.of(new Span(context, 0, rows, FlexPrefill.DEFAULT)));
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void saysWhatWasChosenOnlyOfSpansThatChoseAndWereAttended(boolean plain) {
    KvShape shape = new KvShape(1, 1, 1, 4, new int[] {2, 0, 0}, 10_000);
    try (Backend backend = open(plain);
        Arena arena = backend.arena();
        RowPool pool = backend.rowPool(shape, 200);
        Context one = backend.context(pool);
        Context other = backend.context(pool)) {
      one.extend(IntStream.range(0, 100).toArray(), new float[3][100]);
      other.extend(IntStream.range(100, 200).toArray(), new float[3][100]);
      BlockSelector selector = FLEX;
      Batch batch =
          Batches.of(backend, List.of(new Span(one, 0, 100, selector), new Span(other, 100, 100)));
      assertThatThrownBy(() -> backend.selection(batch, 0))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("not attended yet");
      backend.attend(0, arena.allocate(200, 12), batch, arena.allocate(200, 4));

      assertThat(backend.selection(batch, 0).heads()).hasSize(1);
      assertThatThrownBy(() -> backend.selection(batch, 1))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("span 1 has no selector");
      assertThatThrownBy(() -> backend.selection(batch, 2)).hasMessageContaining("no span 2");
      backend.decodeBatch(List.of(one), new int[1], List.of());
      assertThatThrownBy(() -> backend.selection(batch, 0)).hasMessageContaining("not the last");
    }
  }
}

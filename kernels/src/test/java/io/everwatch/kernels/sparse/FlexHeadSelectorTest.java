// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.sparse;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.everwatch.kernels.BlockGrid;
import io.everwatch.kernels.BlockMask;
import io.everwatch.kernels.BlockSelection.Head;
import io.everwatch.kernels.BlockSelection.Pattern;
import io.everwatch.kernels.BlockSelection.Probe;
import io.everwatch.kernels.FlexPrefill;
import java.util.Arrays;
import java.util.Random;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What holds for every head, on structured heads of ragged lengths. */
class FlexHeadSelectorTest {
  private static final int HEADS = 5; // one of each kind

  /** A grid and settings, all a function of the seed. */
  record Case(long seed, StructuredHeads heads, FlexPrefill settings) {
    static Case of(long seed) {
      Random random = new Random(seed);
      int block = new int[] {32, 64, 128}[(int) (seed % 3)];
      int queries = seed % 7 == 0 ? 1 + random.nextInt(block) : 2 + random.nextInt(6 * block);
      int context = seed % 4 == 0 ? 0 : random.nextInt(7 * block);
      BlockGrid grid = new BlockGrid(block, queries, queries + context);
      FlexPrefill settings =
          new FlexPrefill(
              block,
              0.3 + 0.65 * random.nextDouble(),
              new double[] {0, 0.1, 0.3, 1}[random.nextInt(4)],
              1 + random.nextInt(3 * block),
              random.nextInt(3) == 0 ? 1 + random.nextInt(4 * block) : 0,
              false);
      return new Case(seed, StructuredHeads.of(seed, grid, HEADS, 1, 16), settings);
    }

    BlockGrid grid() {
      return heads.grid();
    }

    Head select(int head) {
      return select(head, settings);
    }

    Head select(int head, FlexPrefill other) {
      return new FlexHeadSelector(other).select(head, grid(), heads.vectors(head));
    }

    void forEach(Consumer<Head> check) {
      for (int head = 0; head < HEADS; head++) {
        check.accept(select(head));
      }
    }

    @Override
    public String toString() {
      return "seed %d: %s, %s".formatted(seed, grid(), settings);
    }
  }

  static Stream<Case> cases() {
    return Stream.iterate(1L, seed -> seed + 1).limit(36).map(Case::of);
  }

  private static Probe probe(Head head) {
    return head.probe().orElseThrow();
  }

  @ParameterizedTest
  @MethodSource("cases")
  void everyRowHasItsDiagonalAndTheFirstBlock(Case one) {
    one.forEach(
        head -> {
          BlockGrid grid = one.grid();
          assertThat(head.mask().rows()).isEqualTo(grid.rows());
          assertThat(head.mask().blocks()).isEqualTo(grid.blocks());
          assertThat(head.mask().isWithin(BlockMask.dense(grid))).isTrue();
          for (int row = 0; row < grid.rows(); row++) {
            assertThat(head.mask().has(row, grid.firstRow() + row)).as("diagonal").isTrue();
            assertThat(head.mask().has(row, 0)).as("first block").isTrue();
          }
        });
  }

  @ParameterizedTest
  @MethodSource("cases")
  void massesSumToOneAndDistancesHaveTheirRange(Case one) {
    one.forEach(
        head -> {
          Probe probe = probe(head);
          for (float[] mass :
              new float[][] {probe.columnMass(), probe.offsetMass(), probe.estimate()}) {
            assertThat(mass).hasSize(one.grid().blocks());
            double sum = 0;
            for (float value : mass) {
              sum += value;
            }
            assertThat(sum).isCloseTo(1, within(1e-5));
          }
          if (!Double.isNaN(probe.distance())) {
            assertThat(probe.distance()).isBetween(0.0, Math.sqrt(Math.log(2)) + 1e-6);
          }
          assertThat(head.pattern() == Pattern.QUERY_AWARE)
              .isEqualTo(probe.distance() < one.settings().tau());
        });
  }

  @ParameterizedTest
  @MethodSource("cases")
  void budgetsFollowFromTheCountsWithinFloorAndCap(Case one) {
    int floor = one.settings().minBlocks();
    int cap = one.settings().maxBlocks(one.grid().blocks());
    one.forEach(
        head -> {
          Probe probe = probe(head);
          int[][] pairs = {
            {probe.columnTokens(), probe.columnBudget(), probe.columns().length},
            {probe.offsetTokens(), probe.offsetBudget(), probe.offsets().length}
          };
          for (int[] pair : pairs) {
            int expected =
                head.pattern() == Pattern.QUERY_AWARE
                    ? floor
                    : Math.min(cap, Math.max(floor, pair[0] / 128 + 1));
            assertThat(pair[1]).isEqualTo(expected);
            assertThat(pair[2]).isEqualTo(Math.min(expected, one.grid().blocks()));
          }
        });
  }

  @ParameterizedTest
  @MethodSource("cases")
  void aVerticalSlashHeadHasItsColumnsAndDiagonalsAndNoOtherCell(Case one) {
    one.forEach(
        head -> {
          BlockMask spread = spread(one.grid(), probe(head));
          if (head.pattern() == Pattern.VERTICAL_SLASH) {
            assertThat(head.mask()).isEqualTo(spread);
          } else {
            assertThat(spread.isWithin(head.mask())).isTrue();
          }
        });
  }

  /** One budget for all rows: a row with clear targets leaves cells to a flat one (4.6). */
  @ParameterizedTest
  @MethodSource("cases")
  void aQueryAwareHeadAddsTheHeaviestCellsOfAllRowsTogether(Case one) {
    BlockGrid grid = one.grid();
    for (int head = 0; head < HEADS; head++) {
      Head chosen = one.select(head);
      if (chosen.pattern() != Pattern.QUERY_AWARE) {
        continue;
      }
      HeadVectors vectors = one.heads().vectors(head);
      float[] map = Pooling.map(grid, vectors, vectors.pooledKeys(grid));
      BlockMask spread = spread(grid, probe(chosen));
      Integer[] order = IntStream.range(0, map.length).boxed().toArray(Integer[]::new);
      Arrays.sort(order, (a, b) -> Float.compare(map[b], map[a])); // stable
      double left = one.settings().gamma() * grid.rows();
      boolean within = true;
      for (int cell : order) {
        int row = cell / grid.blocks();
        int c = cell % grid.blocks();
        left -= map[cell];
        within &= left >= 0;
        if (c <= grid.firstRow() + row) {
          assertThat(chosen.mask().has(row, c))
              .as("row %d, block %d, %s left", row, c, left)
              .isEqualTo(within || spread.has(row, c));
        }
      }
    }
  }

  private static BlockMask spread(BlockGrid grid, Probe probe) {
    byte[] cells = new byte[grid.rows() * grid.blocks()];
    for (int row = 0; row < grid.rows(); row++) {
      for (int c = 0; c <= grid.firstRow() + row; c++) {
        int column = c;
        int offset = grid.firstRow() + row - c;
        boolean chosen =
            Arrays.stream(probe.columns()).anyMatch(x -> x == column)
                || Arrays.stream(probe.offsets()).anyMatch(x -> x == offset);
        cells[row * grid.blocks() + c] = (byte) (chosen ? 1 : 0);
      }
    }
    return BlockMask.of(grid.rows(), grid.blocks(), cells, 0);
  }

  @ParameterizedTest
  @MethodSource("cases")
  void aLargerGammaKeepsWhatASmallerOneChose(Case one) {
    for (int head = 0; head < HEADS; head++) {
      BlockMask before = null;
      double kept = 0;
      for (double gamma : new double[] {1e-6, 0.3, 0.6, 0.9, 0.99}) {
        Head chosen = one.select(head, gamma(one.settings(), gamma));
        if (before != null) {
          assertThat(before.isWithin(chosen.mask())).as("gamma %s", gamma).isTrue();
        }
        assertThat(probe(chosen).keptMass()).isGreaterThanOrEqualTo(kept).isLessThan(1 + 1e-5);
        before = chosen.mask();
        kept = probe(chosen).keptMass();
      }
    }
  }

  private static FlexPrefill gamma(FlexPrefill s, double gamma) {
    return new FlexPrefill(s.block(), gamma, s.tau(), s.minBudget(), s.maxBudget(), false);
  }

  @ParameterizedTest
  @MethodSource("cases")
  void theEndOfASequenceChoosesAsTheWholeDoes(Case one) {
    if (one.grid().queries() < one.grid().block()) {
      return; // the probe would be another
    }
    FlexPrefill settings =
        new FlexPrefill(one.grid().block(), 0.9, 0, one.grid().block(), 0, false); // no query-aware
    int rest = one.grid().block() + (int) (one.seed() % 40);
    int queries = Math.min(one.grid().queries(), rest);
    StructuredHeads chunk = one.heads().last(queries);
    for (int head = 0; head < HEADS; head++) {
      BlockMask whole = one.select(head, settings).mask();
      BlockMask part =
          new FlexHeadSelector(settings).select(head, chunk.grid(), chunk.vectors(head)).mask();
      int skipped = whole.rows() - part.rows();
      for (int row = 0; row < part.rows(); row++) {
        for (int c = 0; c < part.blocks(); c++) {
          assertThat(part.has(row, c)).isEqualTo(whole.has(row + skipped, c));
        }
      }
    }
  }

  @ParameterizedTest
  @MethodSource("cases")
  void aDenseLastRowChangesNoOtherRow(Case one) {
    FlexPrefill s = one.settings();
    FlexPrefill dense =
        new FlexPrefill(s.block(), s.gamma(), s.tau(), s.minBudget(), s.maxBudget(), true);
    int last = one.grid().rows() - 1;
    for (int head = 0; head < HEADS; head++) {
      Head without = one.select(head);
      Head with = one.select(head, dense);
      assertThat(with.mask().count(last)).isEqualTo(one.grid().blocks());
      for (int cell = 0; cell < last * one.grid().blocks(); cell++) {
        int row = cell / one.grid().blocks();
        int c = cell % one.grid().blocks();
        assertThat(with.mask().has(row, c)).isEqualTo(without.mask().has(row, c));
      }
      assertThat(probe(with).keptMass()).isEqualTo(probe(without).keptMass());
    }
  }

  @ParameterizedTest
  @MethodSource("cases")
  void massesAreThoseOfTheProbeSummedInDouble(Case one) {
    BlockGrid grid = one.grid();
    for (int head = 0; head < HEADS; head++) {
      double[] columns = new double[grid.blocks()];
      double[] offsets = new double[grid.blocks()];
      float[] scores = new float[grid.keys()];
      for (int i = grid.queries() - grid.probes(); i < grid.queries(); i++) {
        one.heads().vectors(head).scores(i, 1, scores);
        int position = grid.contextRows() + i;
        double max = Double.NEGATIVE_INFINITY;
        for (int j = 0; j <= position; j++) {
          max = Math.max(max, scores[j]);
        }
        double sum = 0;
        for (int j = 0; j <= position; j++) {
          sum += Math.exp(scores[j] - max);
        }
        for (int j = 0; j <= position; j++) {
          double share = Math.exp(scores[j] - max) / sum / grid.probes();
          columns[j / grid.block()] += share;
          offsets[(position - j + grid.tail()) / grid.block()] += share;
        }
      }
      Probe probe = probe(one.select(head));
      for (int c = 0; c < grid.blocks(); c++) {
        assertThat((double) probe.columnMass()[c]).isCloseTo(columns[c], within(1e-6));
        assertThat((double) probe.offsetMass()[c]).isCloseTo(offsets[c], within(1e-6));
      }
    }
  }

  @Test
  void numbersThatAreNoneChooseTheFloor() {
    BlockGrid grid = new BlockGrid(32, 200, 300);
    float[] q = new float[200 * 16];
    float[] k = new float[300 * 16];
    Arrays.fill(k, Float.NaN);
    StructuredHeads heads = new StructuredHeads(grid, 1, 1, 16, q, k, k);
    Head head =
        new FlexHeadSelector(new FlexPrefill(32, 0.9, 1, 64, 0, false))
            .select(0, grid, heads.vectors(0));
    assertThat(head.pattern()).isEqualTo(Pattern.VERTICAL_SLASH);
    assertThat(probe(head).columnBudget()).isEqualTo(2);
  }

  @Test
  void theCasesHaveBothPatternsAndLeaveBlocksOut() {
    long queryAware =
        cases()
            .flatMap(one -> Stream.of(0, 1, 2, 3, 4).map(one::select))
            .filter(head -> head.pattern() == Pattern.QUERY_AWARE)
            .count();
    long sparse =
        cases()
            .flatMap(
                one ->
                    Stream.of(0, 1, 2, 3, 4)
                        .map(one::select)
                        .filter(head -> head.mask().count() < one.grid().causalCells()))
            .count();
    assertThat(queryAware).isBetween(30L, 150L);
    assertThat(sparse).isGreaterThan(60);
  }
}

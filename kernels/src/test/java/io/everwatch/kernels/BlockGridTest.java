// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The absolute grid, and masks over it. */
class BlockGridTest {
  @ParameterizedTest(name = "block {0}, {1} queries of {2} keys")
  @CsvSource({
    // blocks, tail, first row, rows, probes
    "128,768,768,6,0,0,6,128",
    "128,905,905,8,119,0,8,128",
    "128,256,1408,11,0,9,2,128",
    "128,300,1233,10,47,7,3,128", // context and length off the grid
    "32,20,500,16,12,15,1,20",
    "32,20,512,16,0,15,1,20",
    "128,1,2147483647,16777216,1,16777215,1,1"
  })
  void countsBlocksFromTheFirstRowOfTheContext(
      int block, int queries, int keys, int blocks, int tail, int firstRow, int rows, int probes) {
    BlockGrid grid = new BlockGrid(block, queries, keys);
    assertThat(new int[] {grid.blocks(), grid.tail(), grid.firstRow(), grid.rows(), grid.probes()})
        .containsExactly(blocks, tail, firstRow, rows, probes);
    assertThat(grid.firstQuery(0)).isZero();
    assertThat(grid.firstQuery(grid.rows())).isEqualTo(queries);
  }

  @Test
  void theFirstRowBlockHoldsTheQueriesUpToTheNextLineOfTheGrid() {
    BlockGrid grid = new BlockGrid(128, 300, 1233); // rows 933 to 1232; lines at 1024 and 1152
    assertThat(new int[] {grid.firstQuery(1), grid.firstQuery(2)}).containsExactly(91, 219);
  }

  @Test
  void aMaskOfEverythingHasTheCausalCells() {
    BlockGrid grid = new BlockGrid(32, 300, 1233);
    BlockMask all = BlockMask.dense(grid);
    assertThat(all.count()).isEqualTo(grid.causalCells());
    assertThat(all.has(0, grid.firstRow())).isTrue();
    assertThat(all.has(0, grid.firstRow() + 1)).isFalse();
    assertThat(all.next(0, grid.firstRow() + 1)).isEqualTo(-1);
  }

  @Test
  void aMaskSaysItsBitsHoweverItWasMade() {
    byte[] cells = new byte[2 * 40];
    for (int chosen : new int[] {0, 31, 32, 38}) {
      cells[chosen] = 1;
    }
    cells[40 + 39] = 1;
    BlockMask mask = BlockMask.of(2, 40, cells, 0);

    assertThat(mask.next(0, 1)).isEqualTo(31);
    assertThat(mask.next(0, 32)).isEqualTo(32);
    assertThat(mask.next(0, 33)).isEqualTo(38);
    assertThat(new int[] {mask.count(0), mask.count(1)}).containsExactly(4, 1);
    assertThat(BlockMask.of(2, 40, mask.words())).isEqualTo(mask);
    assertThat(mask.isWithin(BlockMask.dense(new BlockGrid(32, 64, 40 * 32)))).isTrue();
    assertThat(BlockMask.dense(new BlockGrid(32, 64, 40 * 32)).isWithin(mask)).isFalse();
  }

  @Test
  void refusesAnEmptyRowAndACellAboveTheDiagonal() {
    assertThatThrownBy(() -> BlockMask.of(2, 3, new byte[] {1, 0, 0, 0, 0, 0}, 0))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContainingAll("row block 2", "has no key block", "expected");
    assertThatThrownBy(() -> BlockMask.of(2, 3, new byte[] {1, 0, 1, 0, 0, 1}, 0))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContainingAll("row block 1", "has key block 2", "up to 1");
    assertThatThrownBy(() -> BlockMask.of(1, 3, new int[] {1 << 3 | 1}))
        .hasMessageContaining("has key block 3");
    assertThatThrownBy(() -> BlockMask.of(2, 3, new int[1])).hasMessageContaining("2 rows");
  }

  @Test
  void refusesMasksOfOtherLengthsAndHeads() {
    BlockGrid grid = new BlockGrid(32, 64, 256);
    ChosenBlocks chosen =
        new ChosenBlocks(32, java.util.Collections.nCopies(2, BlockMask.dense(grid)));
    chosen.check(grid, 2);
    assertThatThrownBy(() -> chosen.check(grid, 4)).hasMessageContainingAll("2 masks", "of 4");
    assertThatThrownBy(() -> chosen.check(new BlockGrid(32, 64, 224), 2))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContainingAll("8 key blocks", "expected 2 and 7", "end of 224");
  }

  @Test
  void refusesGridsWithoutRows() {
    assertThatThrownBy(() -> new BlockGrid(32, 0, 5)).hasMessageContaining("0 queries");
    assertThatThrownBy(() -> new BlockGrid(32, 6, 5)).hasMessageContaining("5 keys");
  }
}

// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.sparse;

import io.everwatch.kernels.BlockGrid;
import io.everwatch.kernels.BlockMask;
import io.everwatch.kernels.BlockSelection.Head;
import io.everwatch.kernels.BlockSelection.Pattern;
import io.everwatch.kernels.BlockSelection.Probe;
import io.everwatch.kernels.FlexPrefill;
import java.util.Optional;

/**
 * FlexPrefill (Lai et al., ICLR 2025, arXiv 2502.20766; behaviour of the authors' published code),
 * for a span at the end of a context: probe, decision, budgets, choice. Section numbers, here and
 * beside it, are those of this project's specification of sparse prefill attention, whose section 4
 * is this class. Scores and masses are float32, running totals float64.
 *
 * <p>Differs from the published code: the queries may be the last of more keys, and fewer than a
 * block; equal masses are taken in the order of their index; bf16 inputs are not rounded again on
 * the way.
 */
final class FlexHeadSelector implements HeadSelector {
  /** Tokens per block of a budget: 128 in the published code whatever the block is (4.3). */
  private static final int BUDGET_UNIT = 128;

  private final FlexPrefill settings;

  FlexHeadSelector(FlexPrefill settings) {
    this.settings = settings;
  }

  @Override
  public Head select(int head, BlockGrid grid, HeadVectors vectors) {
    ProbeMass mass = ProbeMass.of(grid, vectors); // 4.1
    float[] columnMass = mass.columnBlocks();
    float[] offsetMass = mass.offsetBlocks();

    float[] pooledKeys = vectors.pooledKeys(grid); // 4.2
    float[] estimate = Pooling.estimate(grid, vectors, pooledKeys);
    double distance = Divergence.distance(estimate, columnMass);
    boolean queryAware = distance < settings.tau(); // false for not-a-number

    int columnTokens = Heaviest.cover(mass.columns(), settings.gamma()); // 4.3
    int offsetTokens = Heaviest.cover(mass.offsets(), settings.gamma());
    int columnBudget = queryAware ? settings.minBlocks() : budget(columnTokens, grid);
    int offsetBudget = queryAware ? settings.minBlocks() : budget(offsetTokens, grid);

    int[] columns = Heaviest.withFirst(columnMass, columnBudget); // 4.4
    int[] offsets = Heaviest.withFirst(offsetMass, offsetBudget);

    Cells cells = new Cells(grid); // 4.5
    cells.addColumns(columns);
    cells.addOffsets(offsets);
    if (queryAware) { // 4.6
      float[] map = Pooling.map(grid, vectors, pooledKeys);
      Heaviest.within(map, settings.gamma() * grid.rows(), cells::add);
    }
    double kept = cells.massOfLastRow(columnMass);
    if (settings.denseLastRow()) { // 13.3
      cells.addLastRow();
    }
    BlockMask mask = cells.mask();
    Probe probe =
        new Probe(
            distance,
            columnMass,
            offsetMass,
            estimate,
            columnTokens,
            offsetTokens,
            columnBudget,
            offsetBudget,
            columns,
            offsets,
            kept);
    return new Head(
        queryAware ? Pattern.QUERY_AWARE : Pattern.VERTICAL_SLASH, Optional.of(probe), mask);
  }

  /** Blocks for so many tokens (4.3): raised to the floor, then lowered to the cap. */
  private int budget(int tokens, BlockGrid grid) {
    int blocks = Math.max(tokens / BUDGET_UNIT + 1, settings.minBlocks());
    return Math.min(blocks, settings.maxBlocks(grid.blocks()));
  }
}

// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels;

import java.util.List;

/**
 * A choice that was made elsewhere: nothing is probed, the attention is the same. For fixtures and
 * comparisons.
 *
 * @param block B, see {@link BlockSelector#block}
 * @param masks of each query head, all of one shape, that of the span's {@link BlockGrid}
 */
public record ChosenBlocks(int block, List<BlockMask> masks) implements BlockSelector {
  public ChosenBlocks {
    BlockSelector.checkBlock(block);
    masks = List.copyOf(masks);
    if (masks.isEmpty()) {
      throw new IllegalArgumentException(
          "chosen blocks: no masks; expected one for each query head of the model");
    }
  }

  /**
   * Refuses masks that do not fit a span.
   *
   * @param heads query heads
   */
  public void check(BlockGrid grid, int heads) {
    if (masks.size() != heads) {
      throw new IllegalArgumentException(
          "chosen blocks: %d masks; expected one for each of %d query heads"
              .formatted(masks.size(), heads));
    }
    for (BlockMask mask : masks) {
      if (mask.rows() != grid.rows() || mask.blocks() != grid.blocks()) {
        throw new IllegalArgumentException(
            "chosen blocks: a mask of %d row blocks and %d key blocks of %d rows; expected %d and %d for a span of %d rows at the end of %d; choose for the rows that the context has"
                .formatted(
                    mask.rows(),
                    mask.blocks(),
                    block,
                    grid.rows(),
                    grid.blocks(),
                    grid.queries(),
                    grid.keys()));
      }
    }
  }
}

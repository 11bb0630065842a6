// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.sparse;

import io.everwatch.kernels.BlockGrid;
import io.everwatch.kernels.BlockMask;
import io.everwatch.kernels.BlockSelection.Head;
import io.everwatch.kernels.BlockSelection.Pattern;
import io.everwatch.kernels.BlockSelector;
import io.everwatch.kernels.ChosenBlocks;
import io.everwatch.kernels.FlexPrefill;
import java.util.Optional;

/** Chooses the key blocks of one query head; heads know nothing of each other. */
@FunctionalInterface
public interface HeadSelector {
  /**
   * Chooses.
   *
   * @param head index of the query head
   * @return a mask of the grid's shape; a function of the arguments alone
   */
  Head select(int head, BlockGrid grid, HeadVectors vectors);

  /** What a span's selector asks for. */
  static HeadSelector of(BlockSelector selector) {
    if (selector instanceof FlexPrefill settings) {
      return new FlexHeadSelector(settings);
    }
    ChosenBlocks chosen = (ChosenBlocks) selector;
    return (head, grid, vectors) ->
        new Head(Pattern.PRESCRIBED, Optional.empty(), chosen.masks().get(head));
  }

  /** Of a span that is attended densely. */
  static Head everything(BlockGrid grid) {
    return new Head(Pattern.DENSE, Optional.empty(), BlockMask.dense(grid));
  }
}

// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cuda;

import io.everwatch.kernels.BlockSelector;
import io.everwatch.kernels.ChosenBlocks;

/**
 * A span of a batch that is attended over chosen blocks.
 *
 * @param index of the span in its batch
 * @param kept where the span's own area begins, in bytes
 * @param maskAt where its masks begin among those that the batch's tables bring over, in ints
 */
record SparseSpan(int index, BlockSelector selector, SparseLayout layout, long kept, int maskAt) {
  /** Ints of the tables that the masks of a {@link ChosenBlocks} take. */
  int maskInts() {
    return selector instanceof ChosenBlocks ? layout.items() * layout.words() : 0;
  }
}

// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels;

/**
 * How the key blocks that a span's prefill attention visits are chosen, for each query head by
 * itself. Key block {@code c} is rows {@code [c * block, (c + 1) * block)} of the context, in the
 * order of its list, whatever their positions and slots are.
 */
public sealed interface BlockSelector permits FlexPrefill, ChosenBlocks {
  /** B: rows of a key block and of a row block, a multiple of 32, at most 128. */
  int block();

  /** Refuses a size of blocks that the back ends do not have. */
  static void checkBlock(int block) {
    if (block < 32 || block > 128 || block % 32 != 0) {
      throw new IllegalArgumentException(
          "sparse prefill: block is %d rows; expected a multiple of 32 from 32 to 128; take 128, or 32 for short prompts"
              .formatted(block));
    }
  }
}

// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels;

/**
 * Settings of FlexPrefill (Lai et al., ICLR 2025, arXiv 2502.20766), which lets every head choose
 * the key blocks it needs. Notation of the paper; budgets are in tokens.
 *
 * @param block B, see {@link BlockSelector#block}
 * @param gamma share of the attention mass that the choice aims at, above 0 and below 1
 * @param tau a head is query-aware where the distance between the probe and its pooled estimate is
 *     below this, 0 to 1; with 0 no head is
 * @param minBudget floor of the budgets of columns and of diagonals, at least 1
 * @param maxBudget cap of these budgets; 0: none. Where it is below the floor, the cap wins
 * @param denseLastRow the last row block attends to everything, so that the rows that produce the
 *     next token are exact. Differs: not in the paper
 */
public record FlexPrefill(
    int block, double gamma, double tau, int minBudget, int maxBudget, boolean denseLastRow)
    implements BlockSelector {
  /** As published for Qwen2-7B-Instruct. */
  public static final FlexPrefill DEFAULT = new FlexPrefill(128, 0.9, 0.1, 1024, 0, false);

  public FlexPrefill {
    BlockSelector.checkBlock(block);
    if (!(gamma > 0 && gamma < 1)) {
      throw new IllegalArgumentException(
          "sparse prefill: gamma is %s; expected a share of the attention mass above 0 and below 1; 0.9 is usual, and for everything take dense attention"
              .formatted(gamma));
    }
    if (!(tau >= 0 && tau <= 1)) {
      throw new IllegalArgumentException(
          "sparse prefill: tau is %s; expected a distance from 0 (no head is query-aware) to 1; 0.1 is usual"
              .formatted(tau));
    }
    if (minBudget < 1) {
      throw new IllegalArgumentException(
          "sparse prefill: min budget is %d tokens; expected at least 1; 1024 is usual"
              .formatted(minBudget));
    }
    if (maxBudget < 0) {
      throw new IllegalArgumentException(
          "sparse prefill: max budget is %d tokens; expected 0 for none, or at least 1"
              .formatted(maxBudget));
    }
  }

  /**
   * Whether a span of {@code queries} rows, the last of {@code keys}, is attended densely all the
   * same: one query, or so few keys that there is little to leave out.
   */
  public boolean isDense(int queries, int keys) {
    return queries == 1 || keys <= Math.max(2L * block, (long) minBlocks() * block);
  }

  /** Floor of the budgets in blocks. */
  public int minBlocks() {
    return (minBudget - 1) / block + 1;
  }

  /** Cap of the budgets in blocks, of {@code blocks} key blocks in all. */
  public int maxBlocks(int blocks) {
    return maxBudget == 0 ? blocks : Math.min(blocks, (maxBudget - 1) / block + 1);
  }
}

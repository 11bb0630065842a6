// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.model;

import io.everwatch.kernels.FlexPrefill;

/**
 * How the rows of a stream's prompts are computed (FlexPrefill §11). No remembered row changes when
 * these do: they hold for the rows that come.
 *
 * @param piece rows of one pass at most, a multiple of {@value #ROWS}; 0: what the device's tuning
 *     profile says, {@value #LONGEST} without one
 * @param sparse whether long prompts attend over chosen blocks only
 * @param block keys of a block: 32, 64, 96 or 128
 * @param gamma share of the attention that the choice is to cover
 * @param tau threshold of the pattern decision, 0 to 1
 * @param minBudget floor of a head's budgets, in tokens
 * @param maxBudget cap of the budgets, in tokens; 0 = none
 * @param minChunk pieces with fewer new rows are dense
 * @param denseLastRow whether the last block of queries attends over everything
 */
public record PrefillSettings(
    int piece,
    Sparse sparse,
    int block,
    double gamma,
    double tau,
    int minBudget,
    int maxBudget,
    int minChunk,
    boolean denseLastRow) {
  /** Cut points are multiples of so many rows. */
  public static final int ROWS = 128;

  /** Rows of a pass when nobody says another number. */
  public static final int LONGEST = 2048;

  public static final PrefillSettings DEFAULT =
      new PrefillSettings(0, Sparse.AUTO, 128, 0.9, 0.1, 1024, 0, 512, true);

  /** How blocks are chosen where attention is sparse. */
  public FlexPrefill selector() {
    return new FlexPrefill(block, gamma, tau, minBudget, maxBudget, denseLastRow);
  }

  /** When attention is sparse. Persisted by name. */
  public enum Sparse {
    /** Where the device's tuning profile has found it faster; without a profile nowhere. */
    AUTO,
    /** Wherever it makes a difference. */
    ALWAYS,
    NEVER
  }
}

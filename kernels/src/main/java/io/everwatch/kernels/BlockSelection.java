// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels;

import java.util.List;
import java.util.Optional;

/**
 * What one call of {@link Backend#attend} chose for a span, for comparison with a reference.
 *
 * @param grid nb key blocks, R row blocks
 * @param heads one per query head
 * @param lse natural logarithm of the sum of exponentials of the scores that a query saw, {@code
 *     [n, heads]}; empty where the span was attended densely
 */
public record BlockSelection(BlockGrid grid, List<Head> heads, float[] lse) {
  /** How a head chooses. */
  public enum Pattern {
    /** Columns and diagonals that the probe saw. */
    VERTICAL_SLASH,
    /** Cells of the pooled map, besides few columns and diagonals. */
    QUERY_AWARE,
    /** Everything, without a probe. */
    DENSE,
    /** As the caller said, see {@link ChosenBlocks}. */
    PRESCRIBED
  }

  /**
   * One query head.
   *
   * @param probe what the choice was made from; empty where nothing was probed
   */
  public record Head(Pattern pattern, Optional<Probe> probe, BlockMask mask) {}

  /**
   * What a head's last queries saw, and what follows from it.
   *
   * @param distance D, square root of the Jensen-Shannon divergence (natural logarithm) of {@code
   *     columnMass} and {@code estimate}; NaN where either holds a zero
   * @param columnMass Vb [nb]: share of the mass in each key block; sum 1
   * @param offsetMass Sb [nb]: share on each block diagonal, 0 the main one; sum 1
   * @param estimate E [nb]: what pooled query and keys predict of {@code columnMass}
   * @param columnTokens how many keys, the heaviest first, cover gamma
   * @param offsetTokens how many distances do
   * @param columnBudget kv: columns of blocks
   * @param offsetBudget ks: diagonals of blocks
   * @param columns chosen key blocks, ascending
   * @param offsets chosen diagonals, ascending
   * @param keptMass share of {@code columnMass} in the blocks chosen for the last row block, before
   *     {@link FlexPrefill#denseLastRow}
   */
  public record Probe(
      double distance,
      float[] columnMass,
      float[] offsetMass,
      float[] estimate,
      int columnTokens,
      int offsetTokens,
      int columnBudget,
      int offsetBudget,
      int[] columns,
      int[] offsets,
      double keptMass) {}
}

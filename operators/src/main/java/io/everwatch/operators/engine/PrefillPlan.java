// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.engine;

import io.everwatch.operators.model.PrefillSettings;
import java.util.ArrayList;
import java.util.List;

/**
 * Where the prefill of a round is cut (architecture §5; FlexPrefill §7): a pure function of lengths
 * and settings. When a piece runs is the scheduler's affair and changes no bit.
 *
 * @param pieces of the prompt, in order, one at least
 */
record PrefillPlan(List<Piece> pieces) {
  /**
   * Rows that are computed in one pass.
   *
   * @param from first row, counted from the start of the prompt
   * @param to row behind the last
   */
  record Piece(int from, int to) {
    int rows() {
      return to - from;
    }
  }

  PrefillPlan {
    pieces = List.copyOf(pieces);
  }

  /**
   * Pieces of at most {@link PrefillSettings#piece} rows, cut where the row of the stream's list is
   * a multiple of {@value PrefillSettings#ROWS}; the last one is the rest.
   *
   * @param cached rows of the list that stand before the prompt
   * @param prompt rows to compute, one at least
   */
  static PrefillPlan of(int cached, int prompt, PrefillSettings settings) {
    int longest = settings.piece() == 0 ? PrefillSettings.LONGEST : settings.piece();
    int end = Math.addExact(cached, prompt);
    List<Piece> pieces = new ArrayList<>();
    int row = cached;
    while (end - row > longest) {
      int cut = row / PrefillSettings.ROWS * PrefillSettings.ROWS + longest;
      pieces.add(new Piece(row - cached, cut - cached));
      row = cut;
    }
    pieces.add(new Piece(row - cached, prompt));
    return new PrefillPlan(pieces);
  }
}

// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.engine;

import io.everwatch.kernels.FlexPrefill;
import io.everwatch.operators.model.PrefillSettings;
import io.everwatch.operators.model.TuningProfile;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * How the prefill of a round is computed: where it is cut, and which pieces attend over chosen
 * blocks only (architecture §5; FlexPrefill §4.7, §7). A pure function of lengths, settings and the
 * tuning profile. When a piece runs is the scheduler's affair and changes no bit.
 *
 * @param pieces of the prompt, in order, one at least
 */
record PrefillPlan(List<Piece> pieces) {
  /**
   * Rows that are computed in one pass.
   *
   * @param from first row, counted from the start of the prompt
   * @param to row behind the last
   * @param selector how its key blocks are chosen; null: dense
   */
  record Piece(int from, int to, @Nullable FlexPrefill selector) {
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
   * @param profile of the device; null: none
   */
  static PrefillPlan of(
      int cached, int prompt, PrefillSettings settings, @Nullable TuningProfile profile) {
    int longest = longest(settings, profile);
    int end = Math.addExact(cached, prompt);
    List<Piece> pieces = new ArrayList<>();
    int row = cached;
    while (row < end) {
      int cut = end;
      if (end - row > longest) {
        cut = row / PrefillSettings.ROWS * PrefillSettings.ROWS + longest;
      }
      FlexPrefill selector = selector(cut - row, cut, settings, profile);
      pieces.add(new Piece(row - cached, cut - cached, selector));
      row = cut;
    }
    return new PrefillPlan(pieces);
  }

  private static int longest(PrefillSettings settings, @Nullable TuningProfile profile) {
    if (settings.piece() > 0) {
      return settings.piece();
    }
    return profile == null ? PrefillSettings.LONGEST : profile.piece();
  }

  private static @Nullable FlexPrefill selector(
      int queries, int keys, PrefillSettings settings, @Nullable TuningProfile profile) {
    FlexPrefill selector = settings.selector();
    if (queries < settings.minChunk() || selector.isDense(queries, keys)) {
      return null;
    }
    boolean sparse =
        switch (settings.sparse()) {
          case ALWAYS -> true;
          case NEVER -> false;
          case AUTO -> profile != null && profile.sparse(selector, queries, keys);
        };
    return sparse ? selector : null;
  }
}

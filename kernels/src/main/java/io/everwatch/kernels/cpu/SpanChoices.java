// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cpu;

import io.everwatch.kernels.BlockGrid;
import io.everwatch.kernels.BlockSelection;
import io.everwatch.kernels.BlockSelector;
import io.everwatch.kernels.ChosenBlocks;
import io.everwatch.kernels.Span;
import io.everwatch.kernels.sparse.HeadSelector;
import java.util.Collections;
import java.util.List;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Which spans of a batch choose their key blocks, and what they last chose. */
final class SpanChoices {
  /** Of a span that chooses: a map of this many float32 is 256 MiB, for one thread. */
  private static final long MOST_CELLS = 1L << 26;

  private final List<Span> spans;
  private final List<Span> dense;
  private final int heads;
  private final @Nullable BlockSelection[] chosen; // by span; empty when none has a selector

  /**
   * Refuses what heads could not choose from.
   *
   * @param spans checked, their contexts as they stay
   * @param heads query heads
   */
  SpanChoices(List<Span> spans, int heads) {
    this.spans = spans;
    this.heads = heads;
    boolean choosing = anyChooses(spans);
    dense = choosing ? spans.stream().filter(span -> span.sparse() == null).toList() : spans;
    chosen = new BlockSelection[choosing ? spans.size() : 0];
    for (int i = 0; i < chosen.length; i++) {
      check(i);
    }
  }

  private static boolean anyChooses(List<Span> spans) { // for every batch, those of decoding too
    for (Span span : spans) {
      if (span.selector() != null) {
        return true;
      }
    }
    return false;
  }

  private void check(int index) {
    Span span = spans.get(index);
    BlockSelector selector = span.sparse();
    if (selector == null) {
      return;
    }
    BlockGrid grid = BlockGrid.of(span, selector);
    if ((long) grid.rows() * grid.blocks() > MOST_CELLS) {
      throw new IllegalArgumentException(
          "batch: span %d of %d rows at the end of %d has %d row blocks of %d key blocks each; the cpu back end chooses from at most %d cells; take larger blocks than %d or prefill in pieces"
              .formatted(
                  index,
                  grid.queries(),
                  grid.keys(),
                  grid.rows(),
                  grid.blocks(),
                  MOST_CELLS,
                  grid.block()));
    }
    if (selector instanceof ChosenBlocks masks) {
      masks.check(grid, heads);
    }
  }

  /** Spans that attend to everything. */
  List<Span> dense() {
    return dense;
  }

  /**
   * Lets the other spans attend, and remembers what they chose.
   *
   * @param attend returns what a span chose
   */
  void attend(Function<Span, BlockSelection> attend) {
    for (int i = 0; i < chosen.length; i++) {
      Span span = spans.get(i);
      BlockSelector selector = span.selector();
      if (selector != null) {
        chosen[i] = span.sparse() == null ? everything(span, selector) : attend.apply(span);
      }
    }
  }

  private BlockSelection everything(Span span, BlockSelector selector) {
    BlockGrid grid = BlockGrid.of(span, selector);
    return new BlockSelection(
        grid, Collections.nCopies(heads, HeadSelector.everything(grid)), new float[0]);
  }

  /** See {@link io.everwatch.kernels.Backend#selection}. */
  BlockSelection selection(int span) {
    if (span < 0 || span >= spans.size()) {
      throw new IllegalArgumentException(
          "selection: no span %d; the batch has %d".formatted(span, spans.size()));
    }
    BlockSelection selection = chosen.length == 0 ? null : chosen[span];
    if (selection == null) {
      throw new IllegalStateException(
          "selection: span %d has no selector, or was not attended yet; give it one and call attend"
              .formatted(span));
    }
    return selection;
  }
}

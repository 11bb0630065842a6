// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels;

import org.jspecify.annotations.Nullable;

/**
 * One stream's part of a batch: tokens {@code [first, first + count)} of the batch are the last
 * {@code count} rows of {@code context}.
 *
 * @param selector how a prefill chooses the key blocks it attends to; null: all of them. The caller
 *     has decided that choosing is worth it
 */
public record Span(Context context, int first, int count, @Nullable BlockSelector selector) {
  /** Attends to everything. */
  public Span(Context context, int first, int count) {
    this(context, first, count, null);
  }

  /**
   * The selector, unless it leaves the span to dense attention; null: dense.
   *
   * @see FlexPrefill#isDense
   */
  public @Nullable BlockSelector sparse() {
    return selector instanceof FlexPrefill flex && flex.isDense(count, context.rows())
        ? null
        : selector;
  }
}

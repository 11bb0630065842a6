// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cuda;

/**
 * Where the tables of a pass begin, in bytes from the beginning of their block; {@code
 * common/step.cuh} has the structures. Everything before {@link #tail} depends on these three
 * numbers alone, so that a recorded pass finds it again.
 *
 * @param rows of the batch, padded to its bucket
 * @param spans room for contexts
 * @param outputs rows whose logits are wanted, padded
 */
record StepLayout(int rows, int spans, int outputs) {
  static final int HEADER_BYTES = 32;
  static final int SPAN_BYTES = 32;
  static final int ITEM_INTS = 2;
  static final int DRAW_BYTES = 32;

  /** int [rows]: token ids. */
  int ids() {
    return HEADER_BYTES;
  }

  /** f32 [3][rows]: time, height, width. */
  int positions() {
    return ids() + 4 * rows;
  }

  /** int [rows]: place in the row pool. */
  int slots() {
    return positions() + 12 * rows;
  }

  /** int [rows]: place in the working copy. */
  int workRows() {
    return slots() + 4 * rows;
  }

  /** int [rows]: index of the row's span. */
  int spanOf() {
    return workRows() + 4 * rows;
  }

  /** int [outputs]: rows whose logits are wanted. */
  int outputRows() {
    return spanOf() + 4 * rows;
  }

  /** [outputs][{@value #DRAW_BYTES} bytes]: how a token is chosen; filled by sampling. */
  int draws() {
    return aligned(outputRows() + 4 * outputs);
  }

  /** StepSpan [spans]. */
  int spanTable() {
    return draws() + DRAW_BYTES * outputs;
  }

  /** int []: work items (two each), behind them the spans' lists of work blocks, then the loads. */
  int tail() {
    return spanTable() + SPAN_BYTES * spans;
  }

  private static int aligned(int bytes) {
    return (bytes + 15) / 16 * 16;
  }
}

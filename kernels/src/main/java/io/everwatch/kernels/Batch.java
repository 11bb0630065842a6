// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels;

/**
 * The rows of one forward pass, and all that its operations must know of them: token ids, their
 * places in their contexts (slots, positions), the rows whose logits are wanted, and how a token is
 * chosen there. Made by {@link Backend#prefillBatch} or {@link Backend#decodeBatch}; usable until
 * the back end makes the next one, and only while its contexts stay as they were.
 *
 * <p>A device takes all of it in one copy when the batch is made, to places that stay the same from
 * batch to batch. No operation of a pass then has an argument that changes but these tables, which
 * is what {@link Backend#replay} builds on.
 *
 * <p><b>Padding.</b> A device may run over more rows than there are: {@link #rows} and {@link
 * #outputs} then count rows behind the live ones, which are computed from nothing in particular and
 * never looked at. Buffers of a pass are allocated by these counts; results are asked for by the
 * counts that the caller put in.
 */
public interface Batch {
  /** T: rows that the operations of a pass run over, at least as many as there are ids. */
  int rows();

  /** R: rows that {@link Backend#outputs} makes, at least as many as logits are wanted. */
  int outputs();

  /**
   * Whether the outputs are all rows in their order, so that {@link Backend#outputs} would copy a
   * buffer as it is: always so in a decode batch.
   */
  boolean everyRow();
}

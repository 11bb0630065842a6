// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels;

/**
 * The grid of blocks under one span's attention. It is counted from the context's first row and
 * never moves with the span: key block {@code c} is rows {@code [c B, (c + 1) B)}, row block {@code
 * r} the queries among these rows. Where the context or the whole is no multiple of B, the first or
 * last row block, and the last key block, hold fewer.
 *
 * @param block B
 * @param queries n: the last rows of the context
 * @param keys N: all rows, those of the span included
 */
public record BlockGrid(int block, int queries, int keys) {
  public BlockGrid {
    if (block < 1 || queries < 1 || keys < queries) {
      throw new IllegalArgumentException(
          "block grid: %d queries, %d keys, blocks of %d; expected at least one query, and a key for each"
              .formatted(queries, keys, block));
    }
  }

  /** The grid of a span that has a selector. */
  public static BlockGrid of(Span span, BlockSelector selector) {
    return new BlockGrid(selector.block(), span.count(), span.context().rows());
  }

  /** C: rows before the span's. */
  public int contextRows() {
    return keys - queries;
  }

  /** nb: key blocks. */
  public int blocks() {
    return (keys - 1) / block + 1;
  }

  /** Empty places in the last key block. */
  public int tail() {
    return Math.toIntExact((long) blocks() * block - keys);
  }

  /** The first row block. */
  public int firstRow() {
    return contextRows() / block;
  }

  /** R: row blocks, up to the last key block. */
  public int rows() {
    return blocks() - firstRow();
  }

  /** nr: how many of the last queries represent the span. */
  public int probes() {
    return Math.min(block, queries);
  }

  /**
   * First query of a row block, counted within the span.
   *
   * @param row counted from {@link #firstRow}; {@link #rows} for the end of the last one
   */
  public int firstQuery(int row) {
    long at = (long) (firstRow() + row) * block - contextRows();
    return (int) Math.max(0, Math.min(queries, at));
  }

  /** Cells on and below the diagonal: what dense attention visits. */
  public long causalCells() {
    return (long) rows() * firstRow() + (long) rows() * (rows() + 1) / 2;
  }
}

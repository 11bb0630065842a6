// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels;

import java.util.Arrays;

/**
 * The key blocks that one query head visits, for each row block of a span: {@code [rows, blocks]}.
 * The last row block lies at the last key block, so cell {@code (i, c)} is on the diagonal where
 * {@code c = blocks - rows + i}; none lies above it, and no row is empty.
 */
public final class BlockMask {
  private final int rows;
  private final int blocks;
  private final int width;
  private final int[] words;

  private BlockMask(int rows, int blocks, int[] words) {
    this.rows = rows;
    this.blocks = blocks;
    this.width = words(blocks);
    this.words = words;
    if (rows < 1 || blocks < rows || words.length != (long) rows * width) {
      throw new IllegalArgumentException(
          "block mask: %d rows of %d key blocks in %d words; expected at least one row, a key block for each, and %d words a row"
              .formatted(rows, blocks, words.length, width));
    }
    for (int row = 0; row < rows; row++) {
      checkRow(row);
    }
  }

  private void checkRow(int row) {
    int diagonal = blocks - rows + row;
    int first = next(row, 0);
    int above = next(row, diagonal + 1);
    if (first < 0 || above >= 0) {
      throw new IllegalArgumentException(
          "block mask: row block %d %s; expected one key block or more up to %d, its diagonal; is the mask of other lengths?"
              .formatted(
                  diagonal, first < 0 ? "has no key block" : "has key block " + above, diagonal));
    }
  }

  /** Words that hold the bits of {@code blocks} key blocks of one row. */
  public static int words(int blocks) {
    return (blocks + 31) / 32;
  }

  /**
   * From bits, block {@code c} of a row is bit {@code c % 32} of its word {@code c / 32}.
   *
   * @param words {@code [rows, words(blocks)]}; bits from {@code blocks} on are 0
   * @throws IllegalArgumentException for a row without a block, or a block above the diagonal
   */
  public static BlockMask of(int rows, int blocks, int[] words) {
    return new BlockMask(rows, blocks, words.clone());
  }

  /**
   * From one byte per cell, chosen where it is not 0.
   *
   * @param cells {@code [rows, blocks]} at {@code from}
   * @throws IllegalArgumentException for a row without a block, or a block above the diagonal
   */
  public static BlockMask of(int rows, int blocks, byte[] cells, int from) {
    int width = words(blocks);
    int[] words = new int[Math.multiplyExact(rows, width)];
    for (int row = 0; row < rows; row++) {
      for (int c = 0; c < blocks; c++) {
        if (cells[from + row * blocks + c] != 0) {
          words[row * width + c / 32] |= 1 << (c % 32);
        }
      }
    }
    return new BlockMask(rows, blocks, words);
  }

  /** Every cell up to the diagonal. */
  public static BlockMask dense(BlockGrid grid) {
    int width = words(grid.blocks());
    int[] words = new int[Math.multiplyExact(grid.rows(), width)];
    for (int row = 0; row < grid.rows(); row++) {
      for (int c = 0; c <= grid.firstRow() + row; c++) {
        words[row * width + c / 32] |= 1 << (c % 32);
      }
    }
    return new BlockMask(grid.rows(), grid.blocks(), words);
  }

  public int rows() {
    return rows;
  }

  public int blocks() {
    return blocks;
  }

  /** The bits {@code [rows, words(blocks)]}, a copy. */
  public int[] words() {
    return words.clone();
  }

  public boolean has(int row, int block) {
    return (words[row * width + block / 32] >>> (block % 32) & 1) != 0;
  }

  /** The first chosen block of a row from {@code from} on; -1: none. */
  public int next(int row, int from) {
    for (int at = from / 32; at < width; at++) {
      int word = words[row * width + at];
      if (at == from / 32) {
        word &= -1 << (from % 32);
      }
      if (word != 0) {
        return 32 * at + Integer.numberOfTrailingZeros(word);
      }
    }
    return -1;
  }

  /** Chosen blocks of one row. */
  public int count(int row) {
    int count = 0;
    for (int at = row * width; at < (row + 1) * width; at++) {
      count += Integer.bitCount(words[at]);
    }
    return count;
  }

  /** Chosen cells of all rows. */
  public long count() {
    long count = 0;
    for (int row = 0; row < rows; row++) {
      count += count(row);
    }
    return count;
  }

  /** Whether every cell chosen here is chosen in {@code other}, a mask of the same shape, too. */
  public boolean isWithin(BlockMask other) {
    if (rows != other.rows || blocks != other.blocks) {
      return false;
    }
    for (int i = 0; i < words.length; i++) {
      if ((words[i] & ~other.words[i]) != 0) {
        return false;
      }
    }
    return true;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof BlockMask mask
        && rows == mask.rows
        && blocks == mask.blocks
        && Arrays.equals(words, mask.words);
  }

  @Override
  public int hashCode() {
    return 31 * (31 * rows + blocks) + Arrays.hashCode(words);
  }

  /** One line per row: {@code #} chosen, {@code .} not. */
  @Override
  public String toString() {
    StringBuilder text = new StringBuilder("%d x %d".formatted(rows, blocks));
    for (int row = 0; row < rows; row++) {
      text.append('\n');
      for (int c = 0; c < blocks; c++) {
        text.append(has(row, c) ? '#' : '.');
      }
    }
    return text.toString();
  }
}

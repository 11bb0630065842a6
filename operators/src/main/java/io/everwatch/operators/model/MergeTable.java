// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.model;

import java.util.Arrays;

/**
 * Pair of token ids → rank of the merge and id of the result. Open addressing over primitive
 * arrays: the published tokenizer has 151,387 merges, and a look-up happens for every pair of
 * bytes.
 */
final class MergeTable {
  /** {@link #rank} where a pair does not merge; larger than any rank. */
  static final int NONE = Integer.MAX_VALUE;

  private static final long EMPTY = -1;

  private final long[] keys;
  private final int[] ranks;
  private final int[] results;

  MergeTable(int merges) {
    // At most half full, so that a probe ends soon.
    int capacity = Integer.highestOneBit(Math.max(8, merges)) << 2;
    keys = new long[capacity];
    ranks = new int[capacity];
    results = new int[capacity];
    Arrays.fill(keys, EMPTY);
  }

  /** Adds a merge; false if the pair has one already, which then stays. */
  boolean add(int left, int right, int rank, int result) {
    int slot = slot(left, right);
    if (keys[slot] != EMPTY) {
      return false;
    }
    keys[slot] = key(left, right);
    ranks[slot] = rank;
    results[slot] = result;
    return true;
  }

  int rank(int left, int right) {
    int slot = slot(left, right);
    return keys[slot] == EMPTY ? NONE : ranks[slot];
  }

  /** Only for a pair that merges. */
  int result(int left, int right) {
    return results[slot(left, right)];
  }

  private int slot(int left, int right) {
    long key = key(left, right);
    // Fibonacci hashing: neighbouring ids would otherwise fall into neighbouring slots.
    int slot = (int) ((key * 0x9E3779B97F4A7C15L) >>> 32) & (keys.length - 1);
    while (keys[slot] != EMPTY && keys[slot] != key) {
      slot = (slot + 1) & (keys.length - 1);
    }
    return slot;
  }

  private static long key(int left, int right) {
    return (long) left << 32 | right;
  }
}

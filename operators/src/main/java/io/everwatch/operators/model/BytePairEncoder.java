// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.model;

import java.util.Arrays;
import java.util.PriorityQueue;

/**
 * Byte-pair encoding of one piece: joins the adjacent pair with the lowest merge rank, the leftmost
 * of equal ones, until none applies (Qwen2.5-VL §13.1.5). A queue of candidates and a linked list
 * make it n log n in the bytes of the piece; the textbook loop is quadratic, and a piece of outside
 * text may be long. Stateless after construction.
 */
final class BytePairEncoder {
  private final int[] byteTokens;
  private final MergeTable merges;

  /**
   * @param byteTokens token id of each byte value
   */
  BytePairEncoder(int[] byteTokens, MergeTable merges) {
    this.byteTokens = byteTokens;
    this.merges = merges;
  }

  MergeTable merges() {
    return merges;
  }

  int[] encode(byte[] piece) {
    int n = piece.length;
    int[] ids = new int[n];
    int[] next = new int[n];
    int[] previous = new int[n];
    for (int i = 0; i < n; i++) {
      ids[i] = byteTokens[piece[i] & 0xff];
      next[i] = i + 1;
      previous[i] = i - 1;
    }
    // rank above place: the lowest rank first, then the leftmost. An entry is stale when the pair
    // at its place has another rank by now.
    PriorityQueue<Long> candidates = new PriorityQueue<>();
    for (int i = 0; i + 1 < n; i++) {
      offer(candidates, ids, i, i + 1);
    }
    while (!candidates.isEmpty()) {
      long candidate = candidates.remove();
      int left = (int) candidate;
      int rank = (int) (candidate >>> 32);
      int right = next[left];
      if (ids[left] < 0 || right >= n || merges.rank(ids[left], ids[right]) != rank) {
        continue;
      }
      ids[left] = merges.result(ids[left], ids[right]);
      ids[right] = -1; // joined into its left neighbour
      next[left] = next[right];
      if (next[left] < n) {
        previous[next[left]] = left;
        offer(candidates, ids, left, next[left]);
      }
      if (previous[left] >= 0) {
        offer(candidates, ids, previous[left], left);
      }
    }
    return Arrays.stream(ids).filter(id -> id >= 0).toArray();
  }

  private void offer(PriorityQueue<Long> candidates, int[] ids, int left, int right) {
    int rank = merges.rank(ids[left], ids[right]);
    if (rank != MergeTable.NONE) {
      candidates.add((long) rank << 32 | left);
    }
  }
}

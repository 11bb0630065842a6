// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.engine;

import java.util.Arrays;

/**
 * Who holds which slot of the row pool. A slot is free, or held by as many memories as its count
 * says: the committed and the proposed memory of a round share most of their rows. Belongs to the
 * step thread.
 */
final class RowSlots {
  private final int[] holders;
  private final int[] free; // a stack
  private int freeCount;

  RowSlots(int slots) {
    holders = new int[slots];
    free = new int[slots];
    for (int i = 0; i < slots; i++) {
      free[i] = slots - 1 - i; // low slots first
    }
    freeCount = slots;
  }

  int capacity() {
    return holders.length;
  }

  int available() {
    return freeCount;
  }

  int used() {
    return holders.length - freeCount;
  }

  /**
   * Takes {@code count} slots, each held once.
   *
   * @throws IllegalStateException when fewer are free; ask {@link #available} first
   */
  int[] take(int count) {
    if (count > freeCount) {
      throw new IllegalStateException(
          "%d rows asked for, but %d of %d are free".formatted(count, freeCount, holders.length));
    }
    int[] taken = new int[count];
    for (int i = 0; i < count; i++) {
      taken[i] = free[--freeCount];
      holders[taken[i]] = 1;
    }
    return taken;
  }

  /** One more holder for each. */
  void retain(int[] slots) {
    for (int slot : slots) {
      requireHeld(slot);
      holders[slot]++;
    }
  }

  /** One holder less for each; those without any are free. */
  void release(int[] slots) {
    release(slots, 0, slots.length);
  }

  void release(int[] slots, int from, int to) {
    for (int i = from; i < to; i++) {
      requireHeld(slots[i]);
      if (--holders[slots[i]] == 0) {
        free[freeCount++] = slots[i];
      }
    }
  }

  private void requireHeld(int slot) {
    if (holders[slot] == 0) {
      throw new IllegalStateException(
          "slot %d is free, but is treated as held; free slots: %d of %d"
              .formatted(slot, freeCount, holders.length));
    }
  }

  @Override
  public String toString() {
    return "RowSlots[used=%d, capacity=%d, most holders=%d]"
        .formatted(used(), holders.length, Arrays.stream(holders).max().orElse(0));
  }
}

// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.engine;

import io.everwatch.kernels.PendingRows;
import io.everwatch.kernels.RowPool;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Where K and V of a memory's cached rows lie, in the order of the memory: in slots of the pool, or
 * in host memory, or on their way there, while the stream is idle and others need the room, or
 * after a restore.
 *
 * @param slots empty when in host memory
 * @param away what holds the rows of host memory, among others
 * @param places index in {@code away} of each row; empty when in the pool
 */
record SessionRows(int[] slots, PendingRows away, int[] places) {
  private static final int[] NO_ROWS = new int[0];

  static final SessionRows NONE = new SessionRows(NO_ROWS, PendingRows.NONE, NO_ROWS);

  static SessionRows inPool(int[] slots) {
    return new SessionRows(slots, PendingRows.NONE, NO_ROWS);
  }

  static SessionRows inHost(byte[][] rows) {
    int[] places = new int[rows.length];
    Arrays.setAll(places, i -> i);
    return new SessionRows(NO_ROWS, PendingRows.of(rows), places);
  }

  int count() {
    return slots.length + places.length;
  }

  /** Whether rows must be brought to the pool before they can be attended over. */
  boolean isAway() {
    return places.length > 0;
  }

  /** The rows in host memory, none when they are in the pool; waits until they have come. */
  byte[][] host() {
    byte[][] all = away.await();
    byte[][] rows = new byte[places.length][];
    Arrays.setAll(rows, i -> all[places[i]]);
    return rows;
  }

  /** Brings the rows to slots that {@code free} has. */
  SessionRows load(RowPool pool, RowSlots free) {
    if (!isAway()) {
      return this;
    }
    byte[][] rows = host(); // before slots are taken: the copy may have failed
    int[] taken = free.take(rows.length);
    pool.write(taken, rows);
    return inPool(taken);
  }

  /** Begins to copy the rows to host memory; the slots stay held. */
  SessionRows copy(RowPool pool) {
    return copy(pool, this).get(0);
  }

  /** As {@link #copy(RowPool)}; a slot that several have is copied once. */
  static List<SessionRows> copy(RowPool pool, SessionRows... memories) {
    Map<Integer, Integer> places = new HashMap<>();
    int[] slots = new int[Arrays.stream(memories).mapToInt(rows -> rows.slots.length).sum()];
    for (SessionRows rows : memories) {
      for (int slot : rows.slots) {
        int next = places.size();
        if (places.putIfAbsent(slot, next) == null) {
          slots[next] = slot;
        }
      }
    }
    PendingRows copied = pool.read(Arrays.copyOf(slots, places.size()));
    return Arrays.stream(memories)
        .map(
            rows ->
                rows.slots.length == 0
                    ? rows
                    : new SessionRows(
                        NO_ROWS, copied, Arrays.stream(rows.slots).map(places::get).toArray()))
        .toList();
  }
}

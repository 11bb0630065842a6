// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.engine;

import io.everwatch.kernels.RowPool;
import java.util.HashMap;
import java.util.Map;

/**
 * Where K and V of a memory's cached rows lie, in the order of the memory: in slots of the pool, or
 * in host memory while the stream is idle and others need the room, or after a restore.
 *
 * @param slots empty when in host memory
 * @param host {@code [rows][rowElements]}; empty when in the pool
 */
record SessionRows(int[] slots, float[][] host) {
  static final SessionRows NONE = new SessionRows(new int[0], new float[0][]);

  static SessionRows inPool(int[] slots) {
    return new SessionRows(slots, NONE.host);
  }

  static SessionRows inHost(float[][] rows) {
    return new SessionRows(NONE.slots, rows);
  }

  int count() {
    return slots.length + host.length;
  }

  /** Whether rows must be brought to the pool before they can be attended over. */
  boolean away() {
    return host.length > 0;
  }

  /** Brings the rows to slots that {@code slots} has free. */
  SessionRows load(RowPool pool, RowSlots free) {
    if (!away()) {
      return this;
    }
    int[] taken = free.take(host.length);
    for (int i = 0; i < taken.length; i++) {
      pool.write(taken[i], host[i], 0);
    }
    return inPool(taken);
  }

  /**
   * Copies the rows to host memory; the slots stay held.
   *
   * @param copied rows copied before, by slot: two memories of a stream share most rows
   */
  SessionRows save(RowPool pool, Map<Integer, float[]> copied) {
    if (slots.length == 0) {
      return this;
    }
    int elements = Math.toIntExact(pool.shape().rowElements());
    float[][] rows = new float[slots.length][];
    for (int i = 0; i < slots.length; i++) {
      rows[i] =
          copied.computeIfAbsent(
              slots[i],
              slot -> {
                float[] row = new float[elements];
                pool.read(slot, row, 0);
                return row;
              });
    }
    return inHost(rows);
  }

  /** A copy of the rows for a snapshot. */
  float[][] copy(RowPool pool) {
    return away() ? host : save(pool, new HashMap<>()).host;
  }
}

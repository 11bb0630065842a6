// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cpu;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Working copies come and go with every chunk. Fresh megabytes cost page faults, more than filling
 * them, so slabs are kept: at most as many elements as were in use at once.
 */
final class NativeSlabs implements AutoCloseable {
  private final Map<Long, ArrayDeque<NativeMemory>> free = new HashMap<>();
  private long live;
  private long peak;
  private long kept;
  private boolean closed;

  /** Rows to reserve for {@code rows}: powers of two and halfway between, so that sizes recur. */
  static int roundedRows(int rows) {
    int power = Math.max(64, Integer.highestOneBit(Math.max(1, rows - 1)));
    if (rows <= power) {
      return power;
    }
    int half = power + power / 2;
    return rows <= half ? half : Math.multiplyExact(power, 2);
  }

  synchronized NativeMemory take(long elements, String what) {
    ArrayDeque<NativeMemory> same = free.get(elements);
    NativeMemory slab = same == null ? null : same.pollFirst();
    if (slab == null) {
      slab = NativeMemory.allocate(elements, what);
    } else {
      kept -= elements;
    }
    live += elements;
    peak = Math.max(peak, live);
    return slab;
  }

  synchronized void giveBack(NativeMemory slab) {
    if (slab == NativeMemory.NONE) {
      return;
    }
    live -= slab.elements();
    if (closed || kept + slab.elements() > peak) {
      slab.close();
      return;
    }
    kept += slab.elements();
    free.computeIfAbsent(slab.elements(), size -> new ArrayDeque<>()).addFirst(slab);
  }

  @Override
  public synchronized void close() {
    closed = true;
    List<ArrayDeque<NativeMemory>> all = new ArrayList<>(free.values());
    free.clear();
    kept = 0;
    all.forEach(slabs -> slabs.forEach(NativeMemory::close));
  }
}

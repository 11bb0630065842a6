// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.engine;

import java.util.concurrent.Semaphore;

/**
 * Bounds the bytes of prepared pictures that rounds hold from their preparation to their end. First
 * come, first served, so that a large round is not overtaken for ever; one that is larger than the
 * bound goes alone. It decides when a round is prepared, never what it says.
 */
final class PictureBudget {
  private static final int UNIT_BYTES = 1 << 10;

  private final int units;
  private final Semaphore free;

  PictureBudget(long bytes) {
    units = (int) Math.min(Math.max(1, bytes / UNIT_BYTES), Integer.MAX_VALUE);
    free = new Semaphore(units, /* fair= */ true);
  }

  /** Waits until there is room; returns what is to be given back. */
  int take(long bytes) throws InterruptedException {
    int wanted = (int) Math.min(Math.max(1, bytes / UNIT_BYTES), units);
    free.acquire(wanted);
    return wanted;
  }

  /** Gives back what is more than {@code bytes}; returns what is still to be given back. */
  int shrink(int taken, long bytes) {
    int kept = (int) Math.min((bytes + UNIT_BYTES - 1) / UNIT_BYTES, taken);
    free.release(taken - kept);
    return kept;
  }

  void giveBack(int taken) {
    free.release(taken);
  }

  /** Bytes that are held. */
  long heldBytes() {
    return (long) (units - free.availablePermits()) * UNIT_BYTES;
  }
}

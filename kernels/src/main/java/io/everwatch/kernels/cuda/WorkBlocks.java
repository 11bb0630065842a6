// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cuda;

import io.everwatch.kernels.DeviceException;
import io.everwatch.kernels.DeviceException.Failure;

/**
 * The free blocks of a pool's working copy. Which of them a context gets changes no result. One
 * thread.
 */
final class WorkBlocks {
  private final int[] free;
  private int count;

  WorkBlocks(int blocks) {
    free = new int[blocks];
    count = blocks;
    for (int i = 0; i < blocks; i++) {
      free[i] = blocks - 1 - i;
    }
  }

  int total() {
    return free.length;
  }

  int available() {
    return count;
  }

  /** Refuses when fewer than {@code wanted} blocks are free. */
  void require(int wanted) {
    if (wanted > count) {
      throw new DeviceException(
          Failure.REFUSED,
          ("working copy of keys: %d blocks of %d rows wanted, %d of %d are free;"
                  + " let fewer streams take a step together, or give the pool more rows")
              .formatted(wanted, StepTables.WORK_BLOCK_ROWS, count, free.length));
    }
  }

  int take() {
    require(1);
    return free[--count];
  }

  void give(int block) {
    free[count++] = block;
  }
}

// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cuda;

import java.util.ArrayList;
import java.util.List;

/**
 * The last launches on a device. A kernel's failure is reported by a later call of any kind, so
 * this is all there is to say which it may have been.
 */
final class LaunchLog {
  private static final int KEPT = 8;

  private final Launch[] last = new Launch[KEPT];
  private long count;

  LaunchLog() {
    for (int i = 0; i < KEPT; i++) {
      last[i] = new Launch();
    }
  }

  synchronized void add(
      String kernel, int gridX, int gridY, int gridZ, int block, int sharedBytes, Args args) {
    last[(int) (count++ % KEPT)].set(kernel, gridX, gridY, gridZ, block, sharedBytes, args);
  }

  synchronized void addGraph(String name) {
    last[(int) (count++ % KEPT)].setGraph(name);
  }

  /** Newest first, one per line. */
  synchronized String describe() {
    List<String> lines = new ArrayList<>();
    for (long i = count - 1; i >= Math.max(0, count - KEPT); i--) {
      lines.add("  " + last[(int) (i % KEPT)]);
    }
    return lines.isEmpty()
        ? "nothing was launched before"
        : "last launches, newest first:\n" + String.join("\n", lines);
  }
}

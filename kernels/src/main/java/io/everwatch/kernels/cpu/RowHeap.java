// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cpu;

/**
 * How much of the Java heap cached rows may take. A pool makes a row when its slot is first used,
 * so that too large a one would fill the heap hours after the start.
 *
 * @param heapBytes that the JVM takes at most
 */
record RowHeap(long heapBytes) {
  /** When nobody says how much; working copies come on top, outside the heap. */
  private static final long OWN_BYTES = 256L << 20;

  /**
   * One part of so many is for rows. The rest is for activations, pictures, frames, rows of streams
   * that gave way to others, and for all that shares the process.
   */
  private static final int PARTS = 2;

  static RowHeap ofThisProcess() {
    return new RowHeap(Runtime.getRuntime().maxMemory());
  }

  /**
   * Bytes for rows.
   *
   * @param asked 0: nobody says how much
   * @throws IllegalArgumentException when the heap has no room for so many
   */
  long bytes(long asked) {
    long most = heapBytes / PARTS;
    if (asked > most) {
      throw new IllegalArgumentException(
          "cached rows would take %,d bytes (engine.kv-memory), and the cpu back end keeps them in the Java heap, of which there are %,d; expected at most %,d, for all else needs the other half; lower engine.kv-memory, leave it out (auto takes what fits), or give the process a heap of %,d MiB or more (-Xmx; on a cluster taskmanager.memory.task.heap.size)"
              .formatted(asked, heapBytes, most, mebibytes(asked * PARTS)));
    }
    return asked == 0 ? Math.min(OWN_BYTES, most) : asked;
  }

  private static long mebibytes(long bytes) {
    return (bytes + (1 << 20) - 1) >> 20;
  }
}

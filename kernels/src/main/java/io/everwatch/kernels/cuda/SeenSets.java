// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cuda;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;

/**
 * The sets of ids seen of all contexts, taken from the device some dozens at a time. One thread.
 */
final class SeenSets implements AutoCloseable {
  private static final int SETS_AT_ONCE = 32;

  private final CudaStream stream;
  private final UploadRing ring;
  private final int width;
  private final int words;
  private final List<DeviceMemory> memory = new ArrayList<>();
  private final Deque<SeenSet> free = new ArrayDeque<>();
  private boolean closed;

  /**
   * @param width ids of the vocabulary
   */
  SeenSets(CudaStream stream, UploadRing ring, int width) {
    this.stream = stream;
    this.ring = ring;
    this.width = width;
    this.words = words(width);
  }

  /** 32-bit words of a set of that many ids. */
  static int words(int width) {
    return Launches.ceil(width, Integer.SIZE);
  }

  int width() {
    return width;
  }

  /**
   * A set without ids.
   *
   * @throws io.everwatch.kernels.DeviceException of class REFUSED when the device has no memory
   *     left
   */
  SeenSet take() {
    if (free.isEmpty()) {
      long bytes = Slab.padded(Integer.BYTES * (long) words);
      DeviceMemory more =
          DeviceMemory.allocate(stream.device(), SETS_AT_ONCE * bytes, "sets of ids seen");
      memory.add(more);
      for (int i = 0; i < SETS_AT_ONCE; i++) {
        free.add(new SeenSet(this, more.address() + i * bytes));
      }
    }
    SeenSet set = free.pop();
    stream.fill(set.address(), (byte) 0, Integer.BYTES * (long) words);
    return set;
  }

  /**
   * Puts ids in the place of those in the set; ids beyond the width are never drawn, so left out.
   */
  void replace(SeenSet set, int[] ids) {
    int[] bits = new int[words];
    for (int id : ids) {
      if (id >= 0 && id < width) {
        bits[id / Integer.SIZE] |= 1 << id;
      }
    }
    ring.upload(bits, set.address());
  }

  void give(SeenSet set) {
    if (!closed) {
      free.push(set);
    }
  }

  @Override
  public void close() {
    closed = true;
    free.clear();
    memory.forEach(DeviceMemory::close);
    memory.clear();
  }
}

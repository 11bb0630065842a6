// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cuda;

import io.everwatch.kernels.DeviceException;
import io.everwatch.kernels.DeviceException.Failure;

/**
 * Hands out pieces of one allocation, one after the other, and takes them back all at once: weights
 * as they are loaded, a step's activations. Touches no device after it was made.
 */
final class Slab implements AutoCloseable {
  /** Of every piece: the widest load and one line of the L2 cache. */
  static final int ALIGNMENT = 256;

  private final DeviceMemory memory;
  private final String what;
  private long used;
  private long mostUsed;

  private Slab(DeviceMemory memory, String what) {
    this.memory = memory;
    this.what = what;
  }

  static Slab allocate(CudaDevice device, long bytes, String what) {
    return new Slab(DeviceMemory.allocate(device, bytes, what), what);
  }

  /** Bytes that a piece of {@code bytes} takes. */
  static long padded(long bytes) {
    return Math.addExact(bytes, ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
  }

  /**
   * The address of a new piece, aligned to {@value #ALIGNMENT} bytes; its content is undefined.
   *
   * @throws DeviceException of class REFUSED when the slab is full
   */
  long take(long bytes) {
    long padded = padded(bytes);
    if (bytes < 0 || padded > memory.bytes() - used) {
      throw new DeviceException(
          Failure.REFUSED,
          "%s: no room for %,d bytes, %,d of %,d are in use; admit fewer streams or give it more"
              .formatted(what, bytes, used, memory.bytes()));
    }
    long address = memory.address() + used;
    used += padded;
    mostUsed = Math.max(mostUsed, used);
    return address;
  }

  /** What {@link #release} goes back to. */
  long mark() {
    return used;
  }

  /** Takes back all pieces handed out since {@code mark}. */
  void release(long mark) {
    if (mark < 0 || mark > used) {
      throw new IllegalArgumentException(
          "%s: %,d is no mark, %,d bytes are in use".formatted(what, mark, used));
    }
    used = mark;
  }

  long address() {
    return memory.address();
  }

  long bytes() {
    return memory.bytes();
  }

  long usedBytes() {
    return used;
  }

  /** The most that was ever in use. */
  long mostUsedBytes() {
    return mostUsed;
  }

  @Override
  public void close() {
    memory.close();
  }
}

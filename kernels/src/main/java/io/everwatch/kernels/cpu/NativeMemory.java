// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cpu;

import io.everwatch.kernels.DeviceException;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.Pointer;

/**
 * Float32 memory outside the heap, aligned to a cache line. From malloc itself: the binding's own
 * allocation counts against the size of the Java heap, which weights may exceed.
 */
final class NativeMemory implements AutoCloseable {
  private static final int ALIGNMENT = 64;

  /** No memory. */
  static final NativeMemory NONE = new NativeMemory();

  private final Pointer block;
  private final FloatPointer floats;
  private final long elements;
  private boolean freed;

  private NativeMemory() {
    block = new Pointer();
    floats = new FloatPointer();
    elements = 0;
    freed = true;
  }

  private NativeMemory(Pointer block, long elements) {
    this.block = block;
    this.elements = elements;
    long shift = (ALIGNMENT - block.address() % ALIGNMENT) % ALIGNMENT;
    this.floats = new FloatPointer(block.getPointer(shift));
  }

  /**
   * Allocates; the content is undefined.
   *
   * @throws DeviceException of class REFUSED when the machine has no memory left
   */
  static NativeMemory allocate(long elements, String what) {
    long bytes = Math.addExact(Math.multiplyExact(Math.max(1, elements), 4), ALIGNMENT);
    Pointer block = Pointer.malloc(bytes);
    if (block == null || block.isNull()) {
      throw new DeviceException(
          DeviceException.Failure.REFUSED,
          "%s: malloc of %,d bytes failed; the machine or its limit has no memory left;"
                  .formatted(what, bytes)
              + " admit fewer streams or give the process more");
    }
    return new NativeMemory(block, elements);
  }

  long elements() {
    return elements;
  }

  /** The memory; callers may not change its position. */
  FloatPointer floats() {
    return floats;
  }

  /** The memory from {@code element} on. */
  FloatPointer at(long element) {
    return floats.getPointer(element);
  }

  @Override
  public void close() {
    if (!freed) {
      freed = true;
      Pointer.free(block);
    }
  }
}

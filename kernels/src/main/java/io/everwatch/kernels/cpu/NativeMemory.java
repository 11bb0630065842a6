// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cpu;

import io.everwatch.kernels.DeviceException;
import java.nio.FloatBuffer;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.Pointer;

/**
 * Float32 memory outside the heap, aligned to a cache line. From malloc itself: the binding's own
 * allocation counts against the size of the Java heap, which weights may exceed.
 */
final class NativeMemory implements AutoCloseable {
  private static final int ALIGNMENT = 64;

  /** Elements of a view: a buffer of Java ends below 2 GiB. */
  private static final int VIEW = 1 << 28;

  /** No memory. */
  static final NativeMemory NONE = new NativeMemory();

  private final Pointer block;
  private final FloatPointer floats;
  private final FloatBuffer[] views; // one after the other; a copy through the binding costs more
  private final long elements;
  private boolean freed;

  private NativeMemory() {
    block = new Pointer();
    floats = new FloatPointer();
    views = new FloatBuffer[0];
    elements = 0;
    freed = true;
  }

  private NativeMemory(Pointer block, long elements) {
    this.block = block;
    this.elements = elements;
    long shift = (ALIGNMENT - block.address() % ALIGNMENT) % ALIGNMENT;
    this.floats = new FloatPointer(block.getPointer(shift));
    this.views = new FloatBuffer[Math.toIntExact((elements + VIEW - 1) / VIEW)];
    for (int i = 0; i < views.length; i++) {
      long from = (long) i * VIEW;
      views[i] = at(from).limit(Math.min(VIEW, elements - from)).asBuffer();
    }
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

  /** Copies {@code from[at..]} to {@code element} and the elements behind it. */
  void put(long element, float[] from, int at, int count) {
    for (int done = 0; done < count; ) {
      long to = element + done;
      int now = (int) Math.min(count - done, VIEW - to % VIEW);
      views[(int) (to / VIEW)].put((int) (to % VIEW), from, at + done, now);
      done += now;
    }
  }

  /** Copies {@code element} and those behind it to {@code to[at..]}. */
  void get(long element, float[] to, int at, int count) {
    for (int done = 0; done < count; ) {
      long from = element + done;
      int now = (int) Math.min(count - done, VIEW - from % VIEW);
      views[(int) (from / VIEW)].get((int) (from % VIEW), to, at + done, now);
      done += now;
    }
  }

  @Override
  public void close() {
    if (!freed) {
      freed = true;
      Pointer.free(block);
    }
  }
}

// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cpu;

import io.everwatch.kernels.Arena;
import io.everwatch.kernels.DeviceBuffer;
import io.everwatch.kernels.DeviceException;
import java.util.ArrayList;
import java.util.List;

/**
 * Buffers cut from heap arrays one after the other. A step that needs more than is there adds an
 * array; the reset after it replaces several arrays by one that holds them all.
 */
final class CpuArena implements Arena {
  private static final int FIRST_SLAB = 1 << 16;
  private static final int ALIGNMENT = 16; // floats: one cache line

  private final List<float[]> slabs = new ArrayList<>();
  private int used; // elements of the last slab
  private long step;
  private boolean closed;

  /** Number of the step whose buffers are usable. */
  long step() {
    return step;
  }

  @Override
  public DeviceBuffer allocateF32(long rows, long columns) {
    return allocate(rows, columns);
  }

  @Override
  public DeviceBuffer allocate(long rows, long columns) {
    if (closed) {
      throw new IllegalStateException("arena: allocate after close; open an arena per engine");
    }
    if (rows < 0 || columns < 0) {
      throw new IllegalArgumentException(
          "arena: cannot allocate [%d, %d]; expected sizes of zero or more"
              .formatted(rows, columns));
    }
    long elements = Math.multiplyExact(rows, columns);
    if (elements > Integer.MAX_VALUE - 1024) {
      throw new DeviceException(
          DeviceException.Failure.REFUSED,
          "arena: [%d, %d] is more than one Java array holds (2^31 elements);"
                  .formatted(rows, columns)
              + " make the batch or the prefill piece smaller");
    }
    int size = (int) elements;
    if (slabs.isEmpty() || slabs.get(slabs.size() - 1).length - used < size) {
      addSlab(size);
    }
    CpuBuffer buffer = new CpuBuffer(this, step, slabs.get(slabs.size() - 1), used, size);
    long next = ((long) used + size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    used = (int) Math.min(next, slabs.get(slabs.size() - 1).length);
    return buffer;
  }

  private void addSlab(int atLeast) {
    int last = slabs.isEmpty() ? FIRST_SLAB / 2 : slabs.get(slabs.size() - 1).length;
    int size = Math.max(atLeast, (int) Math.min(2L * last, 1 << 26));
    slabs.add(newArray(size, "arena"));
    used = 0;
  }

  /** An array, or a refusal that the engine can act on. */
  static float[] newArray(int elements, String what) {
    try {
      return new float[elements];
    } catch (OutOfMemoryError e) {
      throw new DeviceException(
          DeviceException.Failure.REFUSED,
          "%s: no heap left for %,d bytes (%,d free of at most %,d);"
                  .formatted(
                      what,
                      4L * elements,
                      Runtime.getRuntime().freeMemory(),
                      Runtime.getRuntime().maxMemory())
              + " give the process a larger heap (-Xmx) or admit fewer streams",
          e);
    }
  }

  @Override
  public void reset() {
    step++;
    used = 0;
    if (slabs.size() > 1) {
      long total = slabs.stream().mapToLong(slab -> slab.length).sum();
      slabs.clear();
      slabs.add(newArray((int) Math.min(total, Integer.MAX_VALUE - 1024), "arena"));
    }
  }

  @Override
  public void close() {
    step++;
    closed = true;
    slabs.clear();
  }
}

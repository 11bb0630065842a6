// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cuda;

import io.everwatch.kernels.Arena;
import io.everwatch.kernels.DType;
import io.everwatch.kernels.DeviceBuffer;
import io.everwatch.kernels.StepSpace;
import java.util.ArrayList;
import java.util.List;

/**
 * Step memory on a device. A step that was announced finds its room in one slab; one that was not
 * adds slabs as it goes, which are joined at the next reset. One thread.
 *
 * <p>A fixed arena joins nothing: equal steps get equal addresses for ever, which recorded passes
 * need.
 */
final class CudaArena implements Arena {
  private static final long SMALLEST_SLAB = 1 << 20;

  private final CudaStream stream;
  private final DType activation;
  private final boolean fixed;
  private final List<Slab> slabs = new ArrayList<>();
  private int current; // slab that is being cut up
  private long step;
  private long steps; // so far
  private boolean closed;

  /**
   * @param stream on which all is done with its buffers
   */
  CudaArena(CudaStream stream, DType activation) {
    this(stream, activation, false);
  }

  private CudaArena(CudaStream stream, DType activation, boolean fixed) {
    this.stream = stream;
    this.activation = activation;
    this.fixed = fixed;
  }

  /** One whose memory never moves. */
  static CudaArena fixed(CudaStream stream, DType activation) {
    return new CudaArena(stream, activation, true);
  }

  /** The arena behind {@code arena}, when it is one of this back end. */
  static CudaArena of(Arena arena, String operation) {
    if (arena instanceof CudaArena mine) {
      return mine;
    }
    throw new IllegalArgumentException(
        "%s: the arena is a %s; expected one of the cuda back end"
            .formatted(operation, arena.getClass().getName()));
  }

  /** Number of the step whose buffers are usable. */
  long step() {
    return step;
  }

  @Override
  public DeviceBuffer allocate(long rows, long columns) {
    return allocate(rows, columns, activation);
  }

  @Override
  public DeviceBuffer allocateF32(long rows, long columns) {
    return allocate(rows, columns, DType.F32);
  }

  private CudaBuffer allocate(long rows, long columns, DType type) {
    if (rows < 0 || columns < 0) {
      throw new IllegalArgumentException(
          "arena: cannot allocate [%d, %d]; expected sizes of zero or more"
              .formatted(rows, columns));
    }
    long elements = Math.multiplyExact(rows, columns);
    long address = take(Math.multiplyExact(elements, type.sizeBytes()));
    return new CudaBuffer(this, step, address, elements, type);
  }

  /** Address of {@code bytes}, until the next reset. */
  long take(long bytes) {
    if (closed) {
      throw new IllegalStateException("arena: allocate after close; open an arena per engine");
    }
    long padded = Slab.padded(bytes);
    while (current < slabs.size()
        && slabs.get(current).bytes() - slabs.get(current).usedBytes() < padded) {
      current++;
    }
    if (current == slabs.size()) {
      long grown = slabs.isEmpty() ? SMALLEST_SLAB : slabs.get(current - 1).bytes();
      slabs.add(Slab.allocate(stream.device(), Math.max(padded, grown), "step memory"));
    }
    return slabs.get(current).take(bytes);
  }

  /** Makes the buffers of an earlier step usable again, and those of all others not. */
  void resume(long earlier) {
    step = earlier;
  }

  @Override
  public void reset() {
    step = ++steps;
    current = 0;
    if (!fixed && slabs.size() > 1) {
      long total = slabs.stream().mapToLong(Slab::bytes).sum();
      replaceBy(total);
    }
    slabs.forEach(slab -> slab.release(0));
  }

  @Override
  public void reset(StepSpace space) {
    long wanted = space.bytes(activation, Slab.ALIGNMENT);
    long had = slabs.stream().mapToLong(Slab::bytes).sum();
    reset();
    if (wanted > had) {
      replaceBy(wanted);
    }
  }

  private void replaceBy(long bytes) {
    free();
    slabs.add(Slab.allocate(stream.device(), bytes, "step memory"));
  }

  private void free() {
    if (!slabs.isEmpty() && !stream.device().isLost()) {
      stream.synchronize(); // what was launched may still use it
    }
    slabs.forEach(Slab::close);
    slabs.clear();
  }

  @Override
  public void close() {
    if (!closed) {
      closed = true;
      step = ++steps;
      stream.device().enter();
      free();
    }
  }
}

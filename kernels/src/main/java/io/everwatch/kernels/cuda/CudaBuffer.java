// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cuda;

import io.everwatch.kernels.DType;
import io.everwatch.kernels.DeviceBuffer;
import io.everwatch.kernels.Shapes;

/** A piece of its arena's memory. */
final class CudaBuffer implements DeviceBuffer {
  private final CudaArena arena;
  private final long step;
  private final long address;
  private final long elements;
  private final DType dtype;

  CudaBuffer(CudaArena arena, long step, long address, long elements, DType dtype) {
    this.arena = arena;
    this.step = step;
    this.address = address;
    this.elements = elements;
    this.dtype = dtype;
  }

  @Override
  public long elements() {
    return elements;
  }

  @Override
  public DType dtype() {
    return dtype;
  }

  long address() {
    return address;
  }

  CudaArena arena() {
    return arena;
  }

  /**
   * The buffer behind {@code buffer}, of any type.
   *
   * @param operation and {@code role}: for the message
   * @throws IllegalArgumentException if it is of another back end, was given back, or holds fewer
   *     than {@code atLeast} elements
   */
  static CudaBuffer of(DeviceBuffer buffer, String operation, String role, long atLeast) {
    if (!(buffer instanceof CudaBuffer mine)) {
      throw new IllegalArgumentException(
          "%s: %s is a %s; expected a buffer of an arena of the cuda back end"
              .formatted(operation, role, buffer.getClass().getName()));
    }
    Shapes.buffer(operation, role, mine.arena.step() == mine.step, mine.elements, atLeast);
    return mine;
  }

  /** As the other {@code of}, of {@code type}: its address. */
  static long of(DeviceBuffer buffer, String operation, String role, long atLeast, DType type) {
    CudaBuffer mine = of(buffer, operation, role, atLeast);
    if (mine.dtype != type) {
      throw new IllegalArgumentException(
          "%s: %s is of type %s; expected %s; was it allocated by allocateF32 instead of allocate, or the other way round?"
              .formatted(operation, role, mine.dtype, type));
    }
    return mine.address;
  }
}

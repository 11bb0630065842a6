// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cpu;

import io.everwatch.kernels.DType;
import io.everwatch.kernels.DeviceBuffer;
import io.everwatch.kernels.Shapes;

/** A slice of one of its arena's arrays. */
final class CpuBuffer implements DeviceBuffer {
  final float[] data;
  final int from;
  private final int elements;
  private final CpuArena arena;
  private final long step;

  CpuBuffer(CpuArena arena, long step, float[] data, int from, int elements) {
    this.arena = arena;
    this.step = step;
    this.data = data;
    this.from = from;
    this.elements = elements;
  }

  @Override
  public long elements() {
    return elements;
  }

  @Override
  public DType dtype() {
    return DType.F32;
  }

  /**
   * The buffer behind {@code buffer}.
   *
   * @param operation and {@code role}: for the message
   * @throws IllegalArgumentException if it is of another back end, was given back, or holds fewer
   *     than {@code atLeast} elements
   */
  static CpuBuffer of(DeviceBuffer buffer, String operation, String role, long atLeast) {
    if (!(buffer instanceof CpuBuffer mine)) {
      throw new IllegalArgumentException(
          "%s: %s is a %s; expected a buffer of an arena of the cpu back end"
              .formatted(operation, role, buffer.getClass().getName()));
    }
    Shapes.buffer(operation, role, mine.arena.step() == mine.step, mine.elements, atLeast);
    return mine;
  }
}

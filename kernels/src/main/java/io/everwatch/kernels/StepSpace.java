// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels;

/**
 * What a step takes from its {@link Arena} at most, so that a device can see to it before the step
 * begins.
 *
 * @param values elements in the activation type
 * @param floats elements in float32
 * @param tables numbers of four bytes that its operations take to the device beside: places of
 *     rows, angles and segments of patches
 * @param buffers pieces in all, each aligned as the device likes it
 */
public record StepSpace(long values, long floats, long tables, int buffers) {
  public static final StepSpace NONE = new StepSpace(0, 0, 0, 0);

  /** Room for this and {@code other} at the same time. */
  public StepSpace plus(StepSpace other) {
    return new StepSpace(
        Math.addExact(values, other.values),
        Math.addExact(floats, other.floats),
        Math.addExact(tables, other.tables),
        buffers + other.buffers);
  }

  /**
   * In bytes.
   *
   * @param activation type of the values
   * @param alignment of each piece
   */
  public long bytes(DType activation, int alignment) {
    long elements =
        Math.addExact(
            Math.multiplyExact(values, activation.sizeBytes()),
            Math.multiplyExact(Math.addExact(floats, tables), 4L));
    return Math.addExact(elements, (long) buffers * alignment);
  }
}

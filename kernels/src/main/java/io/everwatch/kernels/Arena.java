// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels;

/** Memory of one step: buffers are handed out one after the other and given back all at once. */
public interface Arena extends AutoCloseable {
  /**
   * A buffer of {@code rows * columns} elements in the back end's activation type (float32 or bf16)
   * whose content is undefined: for what goes into a product.
   *
   * @throws DeviceException of class REFUSED when the device has no memory left
   */
  DeviceBuffer allocate(long rows, long columns);

  /**
   * As {@link #allocate}, in float32 whatever the activation type is: for sums over layers (the
   * residual stream) and logits.
   */
  DeviceBuffer allocateF32(long rows, long columns);

  /** Makes all buffers of this arena unusable and their memory free for the next step. */
  void reset();

  /**
   * As {@link #reset()}, and sees to the room that the next step takes.
   *
   * @throws DeviceException of class REFUSED when the device has not so much left; the arena is
   *     then as after {@link #reset()}
   */
  default void reset(StepSpace space) {
    reset();
  }

  @Override
  void close();
}

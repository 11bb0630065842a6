// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels;

/**
 * The rows that one stream attends over during one chunk, in the order of its memory, with a
 * rotated working copy of K: made once per chunk after compaction, appended to during prefill and
 * decode (StreamingVLM, contiguous positions; the order of attention is the order of the list,
 * always).
 *
 * <p>Positions are three float32 components per row (time, height, width) and may be fractional.
 * Angles are the float32 product of component and frequency; sine and cosine in float32.
 */
public interface Context extends AutoCloseable {
  /** Rows appended so far. */
  int rows();

  /**
   * The ids that the repetition penalty counts as said, in place of those given before: each
   * distinct id once, in any order. Every id that a decode batch with draws feeds is added to them,
   * before the token of that batch is chosen. Without this call there are none but those. A device
   * may take the ids with the next batch that has this context.
   */
  void seen(int[] distinctIds);

  /**
   * Appends rows whose K and V the pool already holds.
   *
   * @param slots place of each row in the pool
   * @param positions {@code [3][slots.length]}
   */
  void load(int[] slots, float[][] positions);

  /**
   * Appends rows that the next forward pass computes: each layer's {@link Backend#attend} writes
   * their K and V to the pool and the rotated K to the working copy.
   */
  void extend(int[] slots, float[][] positions);

  @Override
  void close();
}

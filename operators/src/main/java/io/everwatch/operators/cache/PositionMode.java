// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.cache;

/** Positions of the rows of a memory: a pure function of the list. */
public interface PositionMode {
  /** {@code [3][rows]}: time, height and width component of each row; may be fractional. */
  float[][] positions(StreamMemory memory);
}

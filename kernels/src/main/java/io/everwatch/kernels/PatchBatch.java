// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels;

/**
 * The patches of one pass of the vision tower as attention sees them: how each is rotated, and ways
 * of cutting them into segments. Made once per pass by {@link Backend#patchBatch}, for all blocks.
 */
public interface PatchBatch {
  /** T. */
  int patches();

  /** D. */
  int headDim();
}

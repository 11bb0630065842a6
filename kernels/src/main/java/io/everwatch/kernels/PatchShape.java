// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels;

/**
 * How pictures become patches (Qwen2.5-VL specification, sections 6.3, 6.5 and 7.3).
 *
 * @param patchSize pixels of a patch side
 * @param mergeSize patches of a merge group's side
 * @param framesPerPatch frames that one patch spans
 * @param windowGroups merge groups of an attention window's side
 * @param values {@code [3][256]}: what a byte of each channel becomes
 */
public record PatchShape(
    int patchSize, int mergeSize, int framesPerPatch, int windowGroups, float[][] values) {
  /** Numbers in one patch: channel, frame, y, x. */
  public int columns() {
    return 3 * framesPerPatch * patchSize * patchSize;
  }

  /** Pixels of a merge group's side. */
  public int groupSize() {
    return mergeSize * patchSize;
  }
}

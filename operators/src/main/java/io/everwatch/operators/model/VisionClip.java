// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.model;

/**
 * One clip for the vision tower: its grid, and its pixels as {@link Patches} that the host made or
 * as {@link ClipPictures} of which the device makes them. Both give the same numbers.
 */
public sealed interface VisionClip permits Patches, ClipPictures {
  /** Temporal patches (frame pairs). */
  int frames();

  /** Patches, whole merge groups. */
  int height();

  /** Patches, whole merge groups. */
  int width();

  /** Bytes of its pixels on the host. */
  long bytes();

  /** The clip of frame pairs {@code [from, to)} alone; the tower makes the same rows of them. */
  VisionClip pairs(int from, int to);

  /** Patches of all frame pairs. */
  default int count() {
    return Math.multiplyExact(frames(), Math.multiplyExact(height(), width()));
  }
}

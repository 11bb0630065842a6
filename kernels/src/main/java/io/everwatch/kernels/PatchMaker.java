// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels;

import java.util.List;

/**
 * Makes patches of decoded pictures on the device: a back end that has one takes three bytes per
 * pixel from the host, where one without takes the patches themselves. The numbers are the same:
 * resizing is fixed-point arithmetic, normalising a table.
 */
public interface PatchMaker {
  /**
   * Resizes, normalises and cuts all pictures into patches, clip after clip, frame pair after frame
   * pair, each pair's merge groups in window order: the order in which the tower works.
   *
   * @param arena for what lies between; the pictures' bytes may be changed after the call
   * @param out {@code [patches, shape.columns()]} of type A; only rows of the pictures' clips are
   *     written
   * @throws IllegalArgumentException if a picture's target is not whole merge groups or its patches
   *     do not lie in {@code out}
   */
  void patches(List<PlacedPicture> pictures, PatchShape shape, Arena arena, DeviceBuffer out);

  /** What {@link #patches} takes from the arena at most, in bytes. */
  long arenaBytes(List<PlacedPicture> pictures);
}

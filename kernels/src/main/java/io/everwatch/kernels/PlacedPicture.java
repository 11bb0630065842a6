// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels;

/**
 * A decoded picture and its place among the patches of a pass of the vision tower.
 *
 * @param rgb {@code [height][width][3]} bytes, red first
 * @param toWidth pixels after resizing, whole merge groups
 * @param toHeight likewise
 * @param firstFrame first frame of its clip that shows it
 * @param endFrame the frame behind the last that shows it
 * @param firstPatch row of the output where its clip begins
 */
public record PlacedPicture(
    byte[] rgb,
    int width,
    int height,
    int toWidth,
    int toHeight,
    int firstFrame,
    int endFrame,
    long firstPatch) {
  public PlacedPicture {
    if (width < 1 || height < 1 || rgb.length != 3L * width * height) {
      throw new IllegalArgumentException(
          "a picture of %dx%d pixels has %d bytes; expected 3 for each pixel"
              .formatted(width, height, rgb.length));
    }
    if (firstFrame < 0 || endFrame <= firstFrame || firstPatch < 0) {
      throw new IllegalArgumentException(
          "a picture of frames [%d, %d) of the clip at patch %d; expected at least one frame"
              .formatted(firstFrame, endFrame, firstPatch));
    }
  }
}

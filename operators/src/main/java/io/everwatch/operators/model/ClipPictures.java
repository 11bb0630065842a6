// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.model;

import io.everwatch.kernels.PlacedPicture;
import java.util.List;

/**
 * A clip as decoded pictures, to be resized, normalised and cut into patches on the device.
 *
 * @param shown one after the other, together all frames of all pairs
 * @param values {@code [3][256]}: what a byte of each channel becomes
 * @param size of every frame after resizing, in pixels
 * @param frames temporal patches (frame pairs)
 * @param height patches, even
 * @param width patches, even
 */
public record ClipPictures(
    List<Shown> shown,
    float[][] values,
    FrameProcessor.Size size,
    int frames,
    int height,
    int width)
    implements VisionClip {
  public ClipPictures {
    shown = List.copyOf(shown);
  }

  /**
   * A picture and the frames that show it.
   *
   * @param from first of them
   * @param to the frame behind the last
   */
  public record Shown(RgbImage picture, int from, int to) {}

  @Override
  public long bytes() {
    return shown.stream().mapToLong(one -> one.picture().pixels().length).sum();
  }

  @Override
  public ClipPictures pairs(int from, int to) {
    int framesPerPair = shown.get(shown.size() - 1).to() / frames;
    int first = from * framesPerPair;
    int end = to * framesPerPair;
    List<Shown> part =
        shown.stream()
            .filter(one -> one.from() < end && one.to() > first)
            .map(
                one ->
                    new Shown(
                        one.picture(),
                        Math.max(one.from(), first) - first,
                        Math.min(one.to(), end) - first))
            .toList();
    return new ClipPictures(part, values, size, to - from, height, width);
  }

  /** The pictures of this clip, its first patch being row {@code firstPatch} of a batch. */
  List<PlacedPicture> placed(long firstPatch) {
    return shown.stream()
        .map(
            one ->
                new PlacedPicture(
                    one.picture().pixels(),
                    one.picture().width(),
                    one.picture().height(),
                    size.width(),
                    size.height(),
                    one.from(),
                    one.to(),
                    firstPatch))
        .toList();
  }
}

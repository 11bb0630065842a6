// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.model;

import java.util.Arrays;

/**
 * A clip as the numbers that the vision tower takes.
 *
 * @param rows {@code [frames * height * width, 1176]} float32, normalised, in merge-group order
 * @param frames temporal patches (frame pairs)
 * @param height patches, even
 * @param width patches, even
 */
public record Patches(float[] rows, int frames, int height, int width) implements VisionClip {
  @Override
  public long bytes() {
    return (long) rows.length * Float.BYTES;
  }

  @Override
  public Patches pairs(int from, int to) {
    if (from == 0 && to == frames) {
      return this;
    }
    int pair = rows.length / frames;
    return new Patches(Arrays.copyOfRange(rows, from * pair, to * pair), to - from, height, width);
  }
}

// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.model;

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
}

// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.model;

/**
 * One clip ready for the vision tower.
 *
 * @param rows {@code [frames * height * width, 1176]} float32, normalised, in merge-group order
 * @param frames temporal patches (frame pairs)
 * @param height patches, even
 * @param width patches, even
 */
public record Patches(float[] rows, int frames, int height, int width) {
  public int count() {
    return Math.multiplyExact(frames, Math.multiplyExact(height, width));
  }
}

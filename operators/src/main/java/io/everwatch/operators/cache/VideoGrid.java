// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.cache;

/**
 * Grid of one clip in vision tokens (merged cells, not patches).
 *
 * @param frames temporal patches (frame pairs)
 * @param timeStep position step between two of them: seconds per pair x tokens per second, float32
 */
public record VideoGrid(int frames, int height, int width, float timeStep) {
  public VideoGrid {
    if (frames < 1 || height < 1 || width < 1) {
      throw new IllegalArgumentException(
          "video grid must be positive, but is %dx%dx%d".formatted(frames, height, width));
    }
  }

  /** Largest position of a pad on any axis, counted from that of the first. */
  double extent() {
    return Math.max((double) Math.max(height - 1, width - 1), (frames - 1) * timeStep);
  }

  /** Vision tokens. */
  public int tokens() {
    return Math.multiplyExact(frames, Math.multiplyExact(height, width));
  }
}

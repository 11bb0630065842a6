// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.model;

/** A decoded picture: {@code [height][width][3]} bytes, red first. */
public record RgbImage(int width, int height, byte[] pixels) {
  public RgbImage {
    if (pixels.length != Math.multiplyExact(3, Math.multiplyExact(width, height))) {
      throw new IllegalArgumentException(
          "a picture of %dx%d has %d bytes, not %d"
              .formatted(width, height, 3L * width * height, pixels.length));
    }
  }
}

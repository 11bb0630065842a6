// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.scene;

/** A picture being drawn, {@code [112][112][3]} float, and the rule how a box meets the pixels. */
final class Canvas {
  private static final int SIZE = Background.SIZE;

  private final float[] pixels;

  /** Draws into {@code pixels}. */
  Canvas(float[] pixels) {
    this.pixels = pixels;
  }

  /**
   * Fills columns {@code [left, right)}, rounded half to even and cut at the edges, of rows {@code
   * [top, bottom)}.
   */
  void box(double left, double right, int top, int bottom, Rgb colour) {
    int first = Math.max(0, (int) Math.rint(left));
    int end = Math.min(SIZE, (int) Math.rint(right));
    float red = (float) colour.red();
    float green = (float) colour.green();
    float blue = (float) colour.blue();
    for (int y = Math.max(0, top); y < Math.min(SIZE, bottom); y++) {
      for (int x = first; x < end; x++) {
        int at = (y * SIZE + x) * 3;
        pixels[at] = red;
        pixels[at + 1] = green;
        pixels[at + 2] = blue;
      }
    }
  }
}

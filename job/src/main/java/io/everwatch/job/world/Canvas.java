// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.world;

import static io.everwatch.job.world.View.UNIT;

/**
 * A picture being drawn under a view's light, with as many more pixels on each side as the view may
 * be shaken. Lengths are 256ths of a unit; {@code (0, 0)} is the corner of the unshaken picture.
 */
final class Canvas {
  private final View view;
  private final Rgb light;
  private final int width;
  private final int height;
  private final byte[] pixels; // [height][width][3]

  Canvas(View view) {
    this.view = view;
    light = view.light().share();
    width = view.width() + 2 * view.shake();
    height = view.height() + 2 * view.shake();
    pixels = new byte[width * height * 3];
  }

  /** Becomes a copy of another of the same view. */
  void show(Canvas other) {
    System.arraycopy(other.pixels, 0, pixels, 0, pixels.length);
  }

  /** From the first row's colour to the last row's. */
  void gradient(Rgb top, Rgb bottom) {
    int last = height - 1;
    for (int y = 0; y <= last; y++) {
      for (int i = 0; i < 3 * width; i++) {
        int channel = i % 3;
        int colour = (top.channel(channel) * (last - y) + bottom.channel(channel) * y) / last;
        pixels[y * 3 * width + i] = (byte) ((colour * light.channel(channel)) >> 8);
      }
    }
  }

  /** Fills a box of a surface. A pixel edge is the one nearest to the box's, halves up. */
  void box(int left, int right, int top, int bottom, Rgb colour) {
    shine(
        left,
        right,
        top,
        bottom,
        new Rgb(
            (colour.red() * light.red()) >> 8,
            (colour.green() * light.green()) >> 8,
            (colour.blue() * light.blue()) >> 8));
  }

  /** As {@link #box}, of something that shines by itself. */
  void shine(int left, int right, int top, int bottom, Rgb colour) {
    int firstX = Math.max(0, view.pixel(left) + view.shake());
    int endX = Math.min(width, view.pixel(right) + view.shake());
    int firstY = Math.max(0, view.pixel(top) + view.shake());
    int endY = Math.min(height, view.pixel(bottom) + view.shake());
    for (int y = firstY; y < endY; y++) {
      for (int x = firstX; x < endX; x++) {
        int at = (y * width + x) * 3;
        pixels[at] = (byte) colour.red();
        pixels[at + 1] = (byte) colour.green();
        pixels[at + 2] = (byte) colour.blue();
      }
    }
  }

  /** A box whose edges are given in units from {@code (x, y)}, of which y is in units too. */
  void part(int x, int y, int left, int right, int top, int bottom, Rgb colour) {
    box(x + left * UNIT, x + right * UNIT, (y + top) * UNIT, (y + bottom) * UNIT, colour);
  }

  /** A stripe from border to border, edges in units. */
  void across(int top, int bottom, Rgb colour) {
    int beyond = 64 * UNIT;
    box(-beyond, view.wide() + beyond, top * UNIT, bottom * UNIT, colour);
  }

  /** One byte of the picture shifted by so much: row, position in the row, red first. */
  int at(int right, int down, int row, int position) {
    return pixels[((row + view.shake() - down) * width + view.shake() - right) * 3 + position]
        & 0xff;
  }
}

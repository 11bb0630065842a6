// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.model;

import io.everwatch.kernels.ResizeTaps;
import java.util.Arrays;

/**
 * Antialiased bicubic resizing, bit for bit as the Pillow library does it (Qwen2.5-VL
 * specification, section 6.2): horizontally first, the result rounded to 8 bits, then vertically,
 * both in fixed point. Thread-safe.
 *
 * <p>Rows are made one after the other and handed out as they are done; only as many horizontally
 * resized rows are held as one vertical kernel spans, so a frame needs no intermediate picture.
 */
final class Resampler {
  private static final int HALF = 1 << (ResizeTaps.FRACTION_BITS - 1);

  private final ResizeTaps.Cache cache = new ResizeTaps.Cache();

  /** Takes finished rows, from the top: {@code [width][3]} values 0 to 255, valid in the call. */
  @FunctionalInterface
  interface RowSink {
    void row(int y, int[] rgb);
  }

  /** Resizes {@code image} to {@code width} x {@code height}; equal sizes copy. */
  void resize(RgbImage image, int width, int height, RowSink sink) {
    ResizeTaps columns = cache.of(image.width(), width);
    if (image.height() == height) {
      int[] row = new int[3 * width];
      for (int y = 0; y < height; y++) {
        horizontal(image, y, columns, row);
        sink.row(y, row);
      }
      return;
    }
    ResizeTaps taps = cache.of(image.height(), height);
    int longest = taps.longest();
    int[][] ring = new int[longest][3 * width]; // source row r lies at r % longest
    int[] out = new int[3 * width];
    int ready = 0;
    for (int y = 0; y < height; y++) {
      int first = taps.first(y);
      int end = first + taps.count(y);
      for (ready = Math.max(ready, first); ready < end; ready++) {
        horizontal(image, ready, columns, ring[ready % longest]);
      }
      Arrays.fill(out, HALF);
      for (int i = first; i < end; i++) {
        addScaled(ring[i % longest], taps.weight(y, i - first), out);
      }
      for (int i = 0; i < out.length; i++) {
        out[i] = toByte(out[i]);
      }
      sink.row(y, out);
    }
  }

  private static int toByte(int fixed) {
    return Math.min(255, Math.max(0, fixed >> ResizeTaps.FRACTION_BITS));
  }

  private static void addScaled(int[] row, int weight, int[] sum) {
    for (int i = 0; i < sum.length; i++) {
      sum[i] += weight * row[i];
    }
  }

  private static void horizontal(RgbImage image, int y, ResizeTaps taps, int[] out) {
    byte[] pixels = image.pixels();
    int start = 3 * y * image.width();
    int width = out.length / 3;
    if (image.width() == width) {
      for (int i = 0; i < out.length; i++) {
        out[i] = pixels[start + i] & 0xFF;
      }
      return;
    }
    int[] weights = taps.table();
    for (int x = 0; x < width; x++) {
      int at = start + 3 * taps.first(x);
      int k = x * taps.stride() + ResizeTaps.WEIGHTS;
      int red = HALF;
      int green = HALF;
      int blue = HALF;
      for (int end = k + taps.count(x); k < end; k++, at += 3) {
        int weight = weights[k];
        red += weight * (pixels[at] & 0xFF);
        green += weight * (pixels[at + 1] & 0xFF);
        blue += weight * (pixels[at + 2] & 0xFF);
      }
      out[3 * x] = toByte(red);
      out[3 * x + 1] = toByte(green);
      out[3 * x + 2] = toByte(blue);
    }
  }
}

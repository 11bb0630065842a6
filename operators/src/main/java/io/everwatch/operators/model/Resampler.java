// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.model;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Antialiased bicubic resizing, bit for bit as the Pillow library does it (Qwen2.5-VL
 * specification, section 6.2): horizontally first, the result rounded to 8 bits, then vertically,
 * both in fixed point. Thread-safe.
 *
 * <p>Rows are made one after the other and handed out as they are done; only as many horizontally
 * resized rows are held as one vertical kernel spans, so a frame needs no intermediate picture.
 */
final class Resampler {
  private static final int FRACTION_BITS = 22;
  private static final int HALF = 1 << (FRACTION_BITS - 1);

  /** Pairs of sizes kept; a job sees a handful. */
  private static final int KEPT = 64;

  private final Map<Long, Taps> cache =
      new LinkedHashMap<>(16, 0.75f, true) {
        private static final long serialVersionUID = 1;

        @Override
        protected boolean removeEldestEntry(Map.Entry<Long, Taps> eldest) {
          return size() > KEPT;
        }
      };

  /** Takes finished rows, from the top: {@code [width][3]} values 0 to 255, valid in the call. */
  @FunctionalInterface
  interface RowSink {
    void row(int y, int[] rgb);
  }

  /** Resizes {@code image} to {@code width} x {@code height}; equal sizes copy. */
  void resize(RgbImage image, int width, int height, RowSink sink) {
    Taps columns = taps(image.width(), width);
    if (image.height() == height) {
      int[] row = new int[3 * width];
      for (int y = 0; y < height; y++) {
        horizontal(image, y, columns, row);
        sink.row(y, row);
      }
      return;
    }
    Taps taps = taps(image.height(), height);
    int[][] ring = new int[taps.longest][3 * width]; // source row r lies at r % longest
    int[] out = new int[3 * width];
    int ready = 0;
    for (int y = 0; y < height; y++) {
      int first = taps.first[y];
      int end = first + taps.count[y];
      for (ready = Math.max(ready, first); ready < end; ready++) {
        horizontal(image, ready, columns, ring[ready % taps.longest]);
      }
      Arrays.fill(out, HALF);
      for (int i = first; i < end; i++) {
        addScaled(ring[i % taps.longest], taps.weights[y * taps.longest + i - first], out);
      }
      for (int i = 0; i < out.length; i++) {
        out[i] = toByte(out[i]);
      }
      sink.row(y, out);
    }
  }

  private static int toByte(int fixed) {
    return Math.min(255, Math.max(0, fixed >> FRACTION_BITS));
  }

  private static void addScaled(int[] row, int weight, int[] sum) {
    for (int i = 0; i < sum.length; i++) {
      sum[i] += weight * row[i];
    }
  }

  private static void horizontal(RgbImage image, int y, Taps taps, int[] out) {
    byte[] pixels = image.pixels();
    int start = 3 * y * image.width();
    int width = taps.first.length;
    if (image.width() == width) {
      for (int i = 0; i < out.length; i++) {
        out[i] = pixels[start + i] & 0xFF;
      }
      return;
    }
    int[] weights = taps.weights;
    for (int x = 0; x < width; x++) {
      int at = start + 3 * taps.first[x];
      int k = x * taps.longest;
      int red = HALF;
      int green = HALF;
      int blue = HALF;
      for (int end = k + taps.count[x]; k < end; k++, at += 3) {
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

  private Taps taps(int from, int to) {
    long key = (long) from << 32 | to;
    synchronized (cache) {
      return cache.computeIfAbsent(key, unused -> Taps.of(from, to));
    }
  }

  /**
   * Which samples make up each output sample.
   *
   * @param first index of the first input sample, per output
   * @param count inputs per output
   * @param weights [outputs][longest], fixed point
   * @param longest the largest count
   */
  private record Taps(int[] first, int[] count, int[] weights, int longest) {
    static Taps of(int inputs, int outputs) {
      double scale = (double) inputs / outputs;
      double stretch = Math.max(scale, 1.0); // widening the kernel is the antialiasing
      double support = 2.0 * stretch;
      int longest = (int) Math.ceil(2 * support) + 1;
      int[] first = new int[outputs];
      int[] count = new int[outputs];
      int[] weights = new int[Math.multiplyExact(outputs, longest)];
      double[] kernel = new double[longest];
      for (int o = 0; o < outputs; o++) {
        double centre = (o + 0.5) * scale;
        first[o] = Math.max(0, (int) (centre - support + 0.5));
        count[o] = Math.min(inputs, (int) (centre + support + 0.5)) - first[o];
        double total = 0;
        for (int i = 0; i < count[o]; i++) {
          kernel[i] = cubic((i + first[o] - centre + 0.5) * (1.0 / stretch));
          total += kernel[i];
        }
        for (int i = 0; i < count[o]; i++) {
          double weight = total == 0 ? kernel[i] : kernel[i] / total;
          weights[o * longest + i] =
              (int) (weight * (1 << FRACTION_BITS) + (weight < 0 ? -0.5 : 0.5));
        }
      }
      return new Taps(first, count, weights, longest);
    }

    /** Keys' cubic convolution with parameter -0.5, in Horner form. */
    private static double cubic(double at) {
      double x = Math.abs(at);
      if (x < 1) {
        return (1.5 * x - 2.5) * x * x + 1;
      }
      return x < 2 ? (((x - 5) * x + 8) * x - 4) * -0.5 : 0;
    }
  }
}

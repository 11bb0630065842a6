// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels;

import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Which samples make up each output sample of an antialiased bicubic resize along one axis, in the
 * fixed point of the Pillow library (Qwen2.5-VL specification, section 6.2). A device reads the
 * same table.
 *
 * @param table {@code [outputs][stride]}: first input sample, number of inputs, weight of each with
 *     {@value #FRACTION_BITS} fraction bits; the rest of a row is unused
 * @param stride ints per output
 */
public record ResizeTaps(int[] table, int stride) {
  /** Of a weight; a sum is rounded by half a unit and cut to 0 to 255. */
  public static final int FRACTION_BITS = 22;

  /** Where an output's weights begin. */
  public static final int WEIGHTS = 2;

  /** From {@code inputs} samples to {@code outputs}, both at least one. */
  public static ResizeTaps of(int inputs, int outputs) {
    double scale = (double) inputs / outputs;
    double stretch = Math.max(scale, 1.0); // widening the kernel is the antialiasing
    double support = 2.0 * stretch;
    int stride = WEIGHTS + (int) Math.ceil(2 * support) + 1;
    int[] table = new int[Math.multiplyExact(outputs, stride)];
    double[] kernel = new double[stride];
    for (int o = 0; o < outputs; o++) {
      double centre = (o + 0.5) * scale;
      int first = Math.max(0, (int) (centre - support + 0.5));
      int count = Math.min(inputs, (int) (centre + support + 0.5)) - first;
      double total = 0;
      for (int i = 0; i < count; i++) {
        kernel[i] = cubic((i + first - centre + 0.5) * (1.0 / stretch));
        total += kernel[i];
      }
      int at = o * stride;
      table[at] = first;
      table[at + 1] = count;
      for (int i = 0; i < count; i++) {
        double weight = total == 0 ? kernel[i] : kernel[i] / total;
        table[at + WEIGHTS + i] = (int) (weight * (1 << FRACTION_BITS) + (weight < 0 ? -0.5 : 0.5));
      }
    }
    return new ResizeTaps(table, stride);
  }

  /** Keys' cubic convolution with parameter -0.5, in Horner form. */
  private static double cubic(double at) {
    double x = Math.abs(at);
    if (x < 1) {
      return (1.5 * x - 2.5) * x * x + 1;
    }
    return x < 2 ? (((x - 5) * x + 8) * x - 4) * -0.5 : 0;
  }

  /** First input sample of output {@code o}. */
  public int first(int o) {
    return table[o * stride];
  }

  /** Inputs of output {@code o}. */
  public int count(int o) {
    return table[o * stride + 1];
  }

  /** Of the {@code i}-th input of output {@code o}. */
  public int weight(int o, int i) {
    return table[o * stride + WEIGHTS + i];
  }

  /** Most inputs that an output can have. */
  public int longest() {
    return stride - WEIGHTS;
  }

  /** The taps of the pairs of sizes that were asked for last. Thread-safe. */
  public static final class Cache {
    private static final int KEPT = 64; // a job sees a handful

    private final Map<Long, ResizeTaps> kept =
        new LinkedHashMap<>(16, 0.75f, true) {
          private static final long serialVersionUID = 1;

          @Override
          protected boolean removeEldestEntry(Map.Entry<Long, ResizeTaps> eldest) {
            return size() > KEPT;
          }
        };

    public ResizeTaps of(int inputs, int outputs) {
      synchronized (kept) {
        return kept.computeIfAbsent(
            (long) inputs << 32 | outputs, unused -> ResizeTaps.of(inputs, outputs));
      }
    }
  }
}

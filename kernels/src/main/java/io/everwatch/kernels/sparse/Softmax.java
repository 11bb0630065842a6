// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.sparse;

/** Exponentials of float32 scores; a term below 2^-149 of the largest is 0. */
final class Softmax {
  private Softmax() {}

  /** Replaces scores by {@code exp(x - max)}; returns their sum. */
  static double exponentials(float[] x, int from, int count) {
    float max = Float.NEGATIVE_INFINITY;
    for (int i = from; i < from + count; i++) {
      max = Math.max(max, x[i]);
    }
    double sum = 0;
    for (int i = from; i < from + count; i++) {
      x[i] = (float) Math.exp(x[i] - max);
      sum += x[i];
    }
    return sum;
  }

  /** Replaces scores by their softmax. */
  static void apply(float[] x, int from, int count) {
    double sum = exponentials(x, from, count);
    for (int i = from; i < from + count; i++) {
      x[i] = (float) (x[i] / sum);
    }
  }
}

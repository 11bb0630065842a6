// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels;

/** Limits of our own tests, from float32's epsilon and the number of terms. */
public final class Tolerance {
  private static final double EPSILON = Math.ulp(1f) / 2; // one rounding

  /** One rounding to bf16, as a share of the value: it has 8 significant bits. */
  public static final double BF16_ROUNDING = 0x1p-8;

  private Tolerance() {}

  /**
   * Worst error of a sum of {@code terms} products in any order, as a share of the sum of the
   * magnitudes of its terms (Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed., eq.
   * 3.5): {@code gamma_n = n u / (1 - n u)}. Errors of random sign grow with the square root, for
   * which a factor of six standard deviations is allowed where that is less.
   */
  public static double ofSum(int terms) {
    double worst = terms * EPSILON / (1 - terms * EPSILON);
    return Math.min(worst, 6 * Math.sqrt(terms) * EPSILON) + EPSILON;
  }

  /** {@code roundings} operations in a row, each correctly rounded or within two units. */
  public static double ofSteps(int roundings) {
    return 2 * roundings * EPSILON;
  }

  /**
   * Attention over {@code rows} rows: a score's error moves its weight by that share, and the
   * weighted sum adds its own. Scores and values are at most the given magnitudes.
   */
  public static double ofAttention(int rows, int headDim, double largestInput, double largestV) {
    double scoreError = ofSum(headDim) * Math.sqrt(headDim) * largestInput * largestInput;
    return largestV * (2 * scoreError + ofSum(rows) + ofSteps(4));
  }

  /** Largest magnitude. */
  public static double largest(float[] values) {
    double largest = 0;
    for (float value : values) {
      largest = Math.max(largest, Math.abs(value));
    }
    return largest;
  }

  /** Largest difference of two elements at the same place; infinite if one is not a number. */
  public static double worstDifference(float[] a, float[] b) {
    double worst = a.length == b.length ? 0 : Double.POSITIVE_INFINITY;
    for (int i = 0; i < Math.min(a.length, b.length); i++) {
      double difference = Math.abs((double) a[i] - b[i]);
      worst = difference <= worst ? worst : difference;
      if (Double.isNaN(difference)) {
        return Double.POSITIVE_INFINITY;
      }
    }
    return worst;
  }
}

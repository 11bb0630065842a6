// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels;

/** Limits of our own tests, from float32's epsilon and the number of terms. */
public final class Tolerance {
  private static final double EPSILON = Math.ulp(1f) / 2; // one rounding

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
}

// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cpu;

/**
 * The error function from Taylor expansions about a grid of points. Coefficients follow from {@code
 * erf' = 2/sqrt(pi) e^(-x^2)} and the recurrence of the derivatives; all in double, error below
 * 1e-11.
 */
final class Erf {
  private static final int PER_UNIT = 16;
  private static final int TERMS = 8;
  private static final double LIMIT = 6; // erf(6) is 1 in double, up to 2e-17
  private static final double[] COEFFICIENTS = coefficients();

  private Erf() {}

  /** {@code erf(x)}. */
  static double erf(double x) {
    double a = Math.abs(x);
    if (!(a < LIMIT)) {
      return Double.isNaN(x) ? x : Math.signum(x);
    }
    int node = (int) (a * PER_UNIT + 0.5);
    double h = a - (double) node / PER_UNIT;
    int at = node * TERMS;
    double sum = COEFFICIENTS[at + TERMS - 1];
    for (int i = TERMS - 2; i >= 0; i--) {
      sum = sum * h + COEFFICIENTS[at + i];
    }
    return x < 0 ? -sum : sum;
  }

  private static double[] coefficients() {
    int nodes = (int) (LIMIT * PER_UNIT) + 1;
    double[] c = new double[nodes * TERMS];
    for (int node = 0; node < nodes; node++) {
      double x = (double) node / PER_UNIT;
      int at = node * TERMS;
      c[at] = series(x);
      c[at + 1] = 2 / Math.sqrt(Math.PI) * Math.exp(-x * x);
      c[at + 2] = -x * c[at + 1];
      // g = erf' satisfies g' = -2 x g; written for Taylor coefficients g_n = (n + 1) c_(n+1).
      for (int n = 2; n < TERMS - 1; n++) {
        double g = n * c[at + n];
        double gBefore = (n - 1) * c[at + n - 1];
        c[at + n + 1] = -2 * (x * g + gBefore) / n / (n + 1);
      }
    }
    return c;
  }

  /** {@code erf(x) = 2/sqrt(pi) e^(-x^2) sum_n 2^n x^(2n+1) / (1 * 3 * ... * (2n+1))}. */
  private static double series(double x) {
    double term = x;
    double sum = x;
    for (int n = 1; term > sum * 1e-18; n++) {
      term *= 2 * x * x / (2 * n + 1);
      sum += term;
    }
    return 2 / Math.sqrt(Math.PI) * Math.exp(-x * x) * sum;
  }
}

// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.sparse;

/** How far the pooled estimate is from what the probe saw (4.2). */
final class Divergence {
  private Divergence() {}

  /**
   * Square root of the Jensen-Shannon divergence, natural logarithm: 0 to sqrt(ln 2).
   *
   * @return not-a-number where either holds a zero in float32: the published code has no case for
   *     it, and its comparison with tau is then false
   */
  static double distance(float[] estimate, float[] seen) {
    double sum = 0;
    for (int c = 0; c < seen.length; c++) {
      if (estimate[c] == 0 || seen[c] == 0) {
        return Double.NaN;
      }
      double e = estimate[c];
      double v = seen[c];
      double middle = (e + v) / 2;
      sum += e * Math.log(e / middle) + v * Math.log(v / middle);
    }
    return Math.sqrt(Math.max(0, sum / 2)); // below zero by rounding alone
  }
}

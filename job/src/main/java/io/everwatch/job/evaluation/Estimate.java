// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.evaluation;

import java.util.List;
import java.util.Optional;

/**
 * A rate over several cameras with its 95 % interval. The cameras are what was drawn at random, not
 * the seconds, which hang together: the interval is that of a ratio of sums over clusters (Cochran
 * 1977, Sampling Techniques, §6.3), with Student's t of as many degrees of freedom as there are
 * cameras less one. A rate that is the same for all cameras, such as 1, would have an interval of
 * no width; so the interval is the wider, at each end, of that one and Wilson's (1927) of the cases
 * taken as independent. Of a single camera only the latter is there, and too narrow.
 *
 * @param rate of all cameras together; has cases
 * @param low of the 95 % interval
 * @param high of the 95 % interval
 */
public record Estimate(Rate rate, double low, double high) {
  private static final double Z = 1.959963984540054; // 97.5 % of the normal distribution

  /** 97.5 % points of Student's t with 1 to 10 degrees of freedom. */
  private static final double[] T = {
    12.7062, 4.3027, 3.1824, 2.7764, 2.5706, 2.4469, 2.3646, 2.3060, 2.2622, 2.2281
  };

  public double value() {
    return (double) rate.part() / rate.whole();
  }

  /**
   * Of the rates of cameras; empty when none has a case.
   *
   * @param cameras one each; those without a case say nothing
   */
  public static Optional<Estimate> of(List<Rate> cameras) {
    List<Rate> telling = cameras.stream().filter(rate -> rate.whole() > 0).toList();
    if (telling.isEmpty()) {
      return Optional.empty();
    }
    Rate all = telling.stream().reduce(Rate.NONE, Rate::plus);
    double value = (double) all.part() / all.whole();
    double margin = margin(telling, all, value);
    double n = all.whole();
    double middle = (value + Z * Z / (2 * n)) / (1 + Z * Z / n);
    double half = Z / (1 + Z * Z / n) * Math.sqrt(value * (1 - value) / n + Z * Z / (4 * n * n));
    return Optional.of(
        new Estimate(
            all,
            Math.max(0, Math.min(value - margin, middle - half)),
            Math.min(1, Math.max(value + margin, middle + half))));
  }

  /** Half the width of the interval over clusters; 0 of a single one. */
  private static double margin(List<Rate> cameras, Rate all, double value) {
    int count = cameras.size();
    if (count < 2) {
      return 0;
    }
    double squares = 0;
    for (Rate camera : cameras) {
      double residual = camera.part() - value * camera.whole();
      squares += residual * residual;
    }
    double deviation = Math.sqrt(squares * count / (count - 1)) / all.whole();
    return studentT(count - 1) * deviation;
  }

  /** Beyond the table by expansion in 1/df (Abramowitz and Stegun 26.7.5); 0.0005 off at most. */
  static double studentT(int freedom) {
    if (freedom <= T.length) {
      return T[freedom - 1];
    }
    double z3 = Z * Z * Z;
    double z5 = z3 * Z * Z;
    double z7 = z5 * Z * Z;
    double n = freedom;
    return Z
        + (z3 + Z) / (4 * n)
        + (5 * z5 + 16 * z3 + 3 * Z) / (96 * n * n)
        + (3 * z7 + 19 * z5 + 17 * z3 - 15 * Z) / (384 * n * n * n);
  }
}

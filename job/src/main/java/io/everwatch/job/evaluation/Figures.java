// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.evaluation;

import java.math.BigDecimal;
import java.math.RoundingMode;

/** Numbers for people and pictures, written the same in every country. */
final class Figures {
  private Figures() {}

  /** With so many decimals. */
  static String fixed(double value, int decimals) {
    return BigDecimal.valueOf(value).setScale(decimals, RoundingMode.HALF_EVEN).toPlainString();
  }

  /** The same with its sign. */
  static String signed(double value, int decimals) {
    return (value < 0 ? "" : "+") + fixed(value, decimals);
  }
}

// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.evaluation;

import java.util.OptionalDouble;

/**
 * A share: so many of so many. Rates of streams and of stretches add up.
 *
 * @param part of {@code whole}; of an F1 both count a right sentence twice
 */
public record Rate(long part, long whole) {
  static final Rate NONE = new Rate(0, 0);

  /** Both together. */
  public Rate plus(Rate other) {
    return new Rate(part + other.part, whole + other.whole);
  }

  /** Empty without a case. */
  public OptionalDouble value() {
    return whole == 0 ? OptionalDouble.empty() : OptionalDouble.of((double) part / whole);
  }
}

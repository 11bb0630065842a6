// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.verify;

import java.util.ArrayList;
import java.util.List;

/** Differences of one case, each as a share of what it may be. */
final class LimitShares {
  private final List<String> exceeded = new ArrayList<>();
  private double worst;

  /** Notes a difference; not-a-number is above every limit. */
  void within(String what, double difference, double limit) {
    double share = difference / limit;
    worst = Math.max(worst, share); // hands not-a-number on
    if (!(share <= 1)) {
      exceeded.add("%s: %.3g, limit %.3g".formatted(what, difference, limit));
    }
  }

  /** Notes something that must hold. */
  void holds(String what, boolean holds) {
    if (!holds) {
      worst = Math.max(worst, Double.POSITIVE_INFINITY);
      exceeded.add(what);
    }
  }

  /** Largest share; infinite where something does not hold. */
  double worst() {
    return worst;
  }

  /** What is above its limit; empty if nothing is. */
  String exceeded() {
    return String.join("; ", exceeded);
  }
}

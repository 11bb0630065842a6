// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.verify;

import java.util.concurrent.Callable;
import java.util.function.Consumer;

/** Where a group reports its cases. A case that throws has failed; the others go on. */
final class GoldenReport {
  private final String group;
  private final Consumer<GoldenResult> out;

  GoldenReport(String group, Consumer<GoldenResult> out) {
    this.group = group;
    this.out = out;
  }

  /** Measures a difference. */
  @FunctionalInterface
  interface Measurement {
    /** The largest absolute difference; NaN counts as failed. */
    double worst() throws Exception;
  }

  /** Looks for a difference. */
  @FunctionalInterface
  interface Comparison {
    /** What differs; empty when nothing does. */
    String difference() throws Exception;
  }

  void within(String name, double limit, Measurement measurement) {
    try {
      double worst = measurement.worst();
      // The negation lets NaN fail.
      out.accept(new GoldenResult(group, name, worst, limit, worst <= limit, ""));
    } catch (Exception e) {
      failed(name, limit, e);
    }
  }

  /**
   * A case of several comparisons, each with a limit of its own; {@code worst} is the largest share
   * of its limit that any of them takes.
   */
  void shares(String name, Callable<LimitShares> comparisons) {
    try {
      LimitShares shares = comparisons.call();
      boolean passed = shares.worst() <= 1; // not-a-number fails
      out.accept(new GoldenResult(group, name, shares.worst(), 1, passed, shares.exceeded()));
    } catch (Exception e) {
      failed(name, 1, e);
    }
  }

  /** A case that must be equal; {@code worst} is 0 or 1. */
  void exact(String name, Comparison comparison) {
    try {
      String difference = comparison.difference();
      int worst = difference.isEmpty() ? 0 : 1;
      out.accept(new GoldenResult(group, name, worst, GoldenLimits.EXACT, worst == 0, difference));
    } catch (Exception e) {
      failed(name, GoldenLimits.EXACT, e);
    }
  }

  void failed(String name, double limit, Exception e) {
    out.accept(new GoldenResult(group, name, Double.NaN, limit, false, e.toString()));
  }
}

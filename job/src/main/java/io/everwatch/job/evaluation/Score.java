// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.evaluation;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * How well a stretch of a stream was told: rates by name, in the order in which they are shown
 * ({@link Scorer} says what they mean). Scores of streams and of stretches add up.
 */
public final class Score {
  private final Map<String, Rate> rates = new LinkedHashMap<>();

  /** The sum of these. */
  public static Score sum(Iterable<Score> scores) {
    Score sum = new Score();
    for (Score score : scores) {
      score.rates.forEach(sum::add);
    }
    return sum;
  }

  /** A name without a case, so that it has its place. */
  void declare(String name) {
    add(name, Rate.NONE);
  }

  void add(String name, Rate more) {
    rates.merge(name, more, Rate::plus);
  }

  /** Counts a case of this rate where there is one. */
  void add(String name, boolean part, boolean whole) {
    if (whole) {
      add(name, new Rate(part ? 1 : 0, 1));
    }
  }

  /** All rates by name, in their order. */
  public Map<String, Rate> rates() {
    return Collections.unmodifiableMap(rates);
  }

  /** The rate of this name; one without cases where it was never declared. */
  public Rate rate(String name) {
    return rates.getOrDefault(name, Rate.NONE);
  }

  @Override
  public String toString() {
    return "Score" + rates;
  }
}

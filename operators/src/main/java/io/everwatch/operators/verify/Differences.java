// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.verify;

import java.util.Arrays;

/** How far results are apart. */
final class Differences {
  private Differences() {}

  /** Largest absolute difference; NaN if either side has one where the other has not. */
  static double largest(float[] actual, float[] expected) {
    if (actual.length != expected.length) {
      throw new IllegalStateException(
          "%d numbers, expected %d".formatted(actual.length, expected.length));
    }
    double worst = 0;
    for (int i = 0; i < actual.length; i++) {
      if (Float.compare(actual[i], expected[i]) != 0) {
        // Math.max hands NaN on.
        worst = Math.max(worst, Math.abs((double) actual[i] - expected[i]));
      }
    }
    return worst;
  }

  /** Root of the mean squared difference. */
  static double rms(Accuracy.Beside both) {
    double squares = 0;
    for (int i = 0; i < both.actual().length; i++) {
      double difference = (double) both.actual()[i] - both.expected()[i];
      squares += difference * difference;
    }
    return Math.sqrt(squares / both.actual().length);
  }

  /** Share of rows whose largest number is in another place. */
  static double otherBest(Accuracy.Beside both) {
    int rows = both.actual().length / both.width();
    int other = 0;
    for (int row = 0; row < rows; row++) {
      int from = row * both.width();
      other +=
          best(both.actual(), from, both.width()) == best(both.expected(), from, both.width())
              ? 0
              : 1;
    }
    return (double) other / rows;
  }

  private static int best(float[] values, int from, int width) {
    int best = from;
    for (int i = from; i < from + width; i++) {
      best = values[i] > values[best] ? i : best;
    }
    return best;
  }

  /** Empty if equal, else both. */
  static String between(Object actual, Object expected) {
    return expected.equals(actual) ? "" : "%s, expected %s".formatted(actual, expected);
  }

  /** Empty if equal, else the first place where they differ. */
  static String between(int[] actual, int[] expected) {
    int at = Arrays.mismatch(actual, expected);
    if (at < 0) {
      return "";
    }
    return at < Math.min(actual.length, expected.length)
        ? "%d at index %d, expected %d".formatted(actual[at], at, expected[at])
        : "%d numbers, expected %d".formatted(actual.length, expected.length);
  }
}

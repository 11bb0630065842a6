// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.sparse;

import java.util.Arrays;
import java.util.Comparator;
import java.util.function.IntConsumer;
import java.util.stream.IntStream;

/** The largest of a list of masses, until a limit. Running totals are float64. */
final class Heaviest {
  private Heaviest() {}

  /** How many entries, the largest first, stay within {@code gamma} together, plus one (4.3). */
  static int cover(float[] mass, double gamma) {
    return fitting(ascending(mass), gamma) + 1;
  }

  /**
   * Indices of the {@code count} largest, ascending; the first is always among them and uses one of
   * the places (4.4). Of equal masses the lower index.
   */
  static int[] withFirst(float[] mass, int count) {
    float[] forced = mass.clone();
    forced[0] = Float.POSITIVE_INFINITY;
    return IntStream.range(0, mass.length)
        .boxed()
        .sorted(Comparator.comparingDouble(i -> -forced[i])) // stable: equal ones keep their order
        .limit(count)
        .mapToInt(Integer::intValue)
        .sorted()
        .toArray();
  }

  /**
   * Names every entry that, the largest first and of equal ones the lower index, still stays within
   * {@code limit} together with those before it (4.6): the one that would cross it is left out.
   */
  static void within(float[] mass, double limit, IntConsumer kept) {
    float[] sorted = ascending(mass);
    int count = fitting(sorted, limit);
    if (count == 0) {
      return;
    }
    float least = sorted[sorted.length - count];
    int above = sorted.length - count; // from here on larger than the least that is kept
    while (above < sorted.length && sorted[above] == least) {
      above++;
    }
    int equal = count - (sorted.length - above); // as many of these are kept
    for (int i = 0; i < mass.length; i++) {
      if (mass[i] > least || (mass[i] == least && equal-- > 0)) {
        kept.accept(i);
      }
    }
  }

  private static float[] ascending(float[] mass) {
    float[] sorted = mass.clone();
    Arrays.sort(sorted);
    return sorted;
  }

  /** How many of the largest stay within the limit together. */
  private static int fitting(float[] ascending, double limit) {
    double total = 0;
    int count = 0;
    while (count < ascending.length) {
      total += ascending[ascending.length - 1 - count];
      if (!(total <= limit)) { // not-a-number ends it
        return count;
      }
      count++;
    }
    return count;
  }
}

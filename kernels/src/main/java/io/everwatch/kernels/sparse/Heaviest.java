// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.sparse;

import java.util.Arrays;
import java.util.Comparator;
import java.util.function.IntConsumer;
import java.util.stream.IntStream;

/**
 * The largest of a list of masses, until a limit. Running totals are float64. A list is not sorted
 * for it: only the masses about as large as the one at which the limit is crossed are (9.3).
 */
final class Heaviest {
  /** Of a float32 that is not negative, all but these bits order like the number itself. */
  private static final int BIN_BITS = 20;

  private static final int BINS = 1 << (31 - BIN_BITS);

  private Heaviest() {}

  /**
   * Which masses stay within a limit.
   *
   * @param count how many
   * @param least all larger masses do
   * @param equal and as many of those that equal it, in the order of their index
   */
  private record Cut(int count, float least, int equal) {}

  /** How many entries, the largest first, stay within {@code gamma} together, plus one (4.3). */
  static int cover(float[] mass, double gamma) {
    return cut(mass, gamma).count() + 1;
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
    Cut cut = cut(mass, limit);
    int equal = cut.equal();
    for (int i = 0; i < mass.length; i++) {
      if (mass[i] > cut.least() || (mass[i] == cut.least() && equal-- > 0)) {
        kept.accept(i);
      }
    }
  }

  private static Cut cut(float[] mass, double limit) {
    int[] counts = new int[BINS];
    double[] totals = new double[BINS];
    for (float x : mass) {
      counts[bin(x)]++;
      totals[bin(x)] += x;
    }
    double total = 0;
    int count = 0;
    int bin = BINS - 1; // where not-a-number is, too
    while (bin >= 0 && total + totals[bin] <= limit) {
      total += totals[bin];
      count += counts[bin];
      bin--;
    }
    if (bin < 0) {
      return new Cut(count, -1, 0);
    }
    float[] crossing = sorted(mass, bin, counts[bin]);
    int last = crossing.length;
    while (last > 0 && total + crossing[last - 1] <= limit) { // not-a-number ends it
      total += crossing[--last];
    }
    count += crossing.length - last;
    if (last == crossing.length) {
      return new Cut(count, Float.intBitsToFloat(((bin + 1) << BIN_BITS) - 1), 0);
    }
    int equal = 1;
    while (last + equal < crossing.length && crossing[last + equal] == crossing[last]) {
      equal++;
    }
    return new Cut(count, crossing[last], equal);
  }

  private static int bin(float mass) {
    return Float.floatToIntBits(mass) >>> BIN_BITS & (BINS - 1);
  }

  private static float[] sorted(float[] mass, int bin, int count) {
    float[] sorted = new float[count];
    int at = 0;
    for (float x : mass) {
      if (bin(x) == bin) {
        sorted[at++] = x;
      }
    }
    Arrays.sort(sorted);
    return sorted;
  }
}

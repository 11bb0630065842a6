// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.wall;

/** Counts of lags in buckets that grow by a tenth, 1 ms to an hour. Not thread-safe. */
final class LagHistogram {
  private static final double GROWTH = Math.log(1.1);
  private static final int BUCKETS = 1 + (int) Math.ceil(Math.log(3_600_000) / GROWTH);

  private final int[] counts = new int[BUCKETS];
  private int total;

  void add(long millis) {
    counts[bucket(millis)]++;
    total++;
  }

  void add(LagHistogram other) {
    for (int i = 0; i < BUCKETS; i++) {
      counts[i] += other.counts[i];
    }
    total += other.total;
  }

  int total() {
    return total;
  }

  /**
   * Upper bound of the bucket in which that share of all lies, at most a tenth too large; -1 when
   * there is none.
   */
  long percentile(int percent) {
    long wanted = (percent * (long) total + 99) / 100;
    long seen = 0;
    for (int i = 0; i < BUCKETS && total > 0; i++) {
      seen += counts[i];
      if (seen >= wanted && counts[i] > 0) {
        return upperMillis(i);
      }
    }
    return -1;
  }

  /** Those of at most so many milliseconds, as exact as the buckets are. */
  int upTo(long millis) {
    int sum = 0;
    for (int i = 0; i < BUCKETS && upperMillis(i) <= millis * 1.05; i++) {
      sum += counts[i];
    }
    return sum;
  }

  private static int bucket(long millis) {
    return millis <= 1
        ? 0
        : Math.min(BUCKETS - 1, (int) Math.ceil(Math.log((double) millis) / GROWTH - 1e-9));
  }

  private static long upperMillis(int bucket) {
    return Math.round(Math.exp(bucket * GROWTH));
  }
}

// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.demo;

import java.util.Arrays;

/** Collects lags and tells their percentiles; one thread adds, any asks. */
public final class Lags {
  private long[] millis = new long[1024];
  private int count;

  public synchronized void add(long lagMillis) {
    if (count == millis.length) {
      millis = Arrays.copyOf(millis, 2 * count);
    }
    millis[count++] = lagMillis;
  }

  public synchronized int count() {
    return count;
  }

  /** p50, p95, p99 and the largest. */
  public synchronized Percentiles percentiles() {
    long[] sorted = Arrays.copyOf(millis, count);
    Arrays.sort(sorted);
    return new Percentiles(
        count, rank(sorted, 50), rank(sorted, 95), rank(sorted, 99), rank(sorted, 100));
  }

  /** Nearest rank: the smallest value that at least {@code percent} of all do not exceed. */
  private static long rank(long[] sorted, int percent) {
    return sorted.length == 0
        ? -1
        : sorted[(int) ((percent * (long) sorted.length + 99) / 100) - 1];
  }

  /** Milliseconds; -1 when there was nothing to measure. */
  public record Percentiles(int count, long p50, long p95, long p99, long max) {}
}

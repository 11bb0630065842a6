// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.wall.http;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.LongSupplier;

/** Wrong tokens by address, so that nobody can try many. Bounded; thread-safe. */
final class Failures {
  static final int WINDOW_SECONDS = 60;
  private static final long WINDOW_NANOS = WINDOW_SECONDS * 1_000_000_000L;
  private static final int PER_ADDRESS = 10;

  /** Of all addresses together: an attacker may have many. */
  private static final int TOGETHER = 200;

  private static final int ADDRESSES = 1_000;

  private final LongSupplier nanoClock;
  private final Map<String, Integer> counts = new LinkedHashMap<>();
  private long windowStart;
  private int together;

  Failures(LongSupplier nanoClock) {
    this.nanoClock = nanoClock;
    windowStart = nanoClock.getAsLong();
  }

  synchronized boolean mayTry(String address) {
    renew();
    return together < TOGETHER && counts.getOrDefault(address, 0) < PER_ADDRESS;
  }

  synchronized void add(String address) {
    renew();
    together++;
    if (counts.size() < ADDRESSES || counts.containsKey(address)) {
      counts.merge(address, 1, Integer::sum);
    }
  }

  private void renew() {
    if (nanoClock.getAsLong() - windowStart >= WINDOW_NANOS) {
      windowStart = nanoClock.getAsLong();
      counts.clear();
      together = 0;
    }
  }
}

// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.camera;

import java.time.Duration;
import java.util.random.RandomGenerator;

/**
 * Waits between attempts: each twice as long as the one before up to a longest, and each between
 * half and the whole of that, so that a hundred cameras behind one switch do not come back at once.
 */
final class Backoff {
  private final Duration first;
  private final Duration longest;
  private final RandomGenerator random;
  private int attempts;

  Backoff(Duration first, Duration longest, RandomGenerator random) {
    this.first = first;
    this.longest = longest;
    this.random = random;
  }

  /** The wait before the next attempt, which is counted. */
  Duration next() {
    long whole = first.toNanos();
    for (int i = 0; i < attempts && whole < longest.toNanos(); i++) {
      whole *= 2;
    }
    attempts++;
    whole = Math.min(whole, longest.toNanos());
    return Duration.ofNanos(whole / 2 + random.nextLong(whole / 2 + 1));
  }

  /** Attempts since the last success. */
  int attempts() {
    return attempts;
  }

  void succeeded() {
    attempts = 0;
  }
}

// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.demo;

import io.everwatch.job.demo.Lags.Percentiles;
import io.everwatch.schemas.EventHeaders;
import io.everwatch.schemas.ReceivedText;

/** Counts what a live reader sees; one thread. */
final class Tally {
  private final long startNanos = System.nanoTime();
  private final Lags lags = new Lags();
  private long events;
  private long comments;
  private long silences;
  private long gaps;
  private long errors;
  private long changed;
  private long firstNanos;
  private long lastNanos;

  /** Adds one event and returns its lag in milliseconds, -1 when it has none. */
  long add(ReceivedText text) {
    lastNanos = System.nanoTime();
    if (events++ == 0) {
      firstNanos = lastNanos;
    }
    switch (text.event().getKind()) {
      case COMMENT -> comments++;
      case SILENCE -> silences++;
      case GAP -> gaps++;
      case ERROR -> errors++;
      case STALE, ANSWER, ALERT, NOTICE, ENDED, UNKNOWN -> {}
    }
    if (text.changed()) {
      changed++;
    }
    long arrival = text.headers().arrivalMillis();
    if (arrival == EventHeaders.ABSENT) {
      return -1;
    }
    long lag = System.currentTimeMillis() - arrival;
    lags.add(lag);
    return lag;
  }

  /** Events that have a lag. */
  int timed() {
    return lags.count();
  }

  DemoSummary summary(int cameras, long deadLetters, Percentiles committed) {
    double seconds = (lastNanos - firstNanos) / 1e9;
    return new DemoSummary(
        cameras,
        events,
        comments,
        silences,
        gaps,
        errors,
        changed,
        deadLetters,
        events == 0 ? -1 : (firstNanos - startNanos) / 1_000_000,
        seconds > 0 ? (comments + silences) / seconds : 0,
        lags.percentiles(),
        committed);
  }
}

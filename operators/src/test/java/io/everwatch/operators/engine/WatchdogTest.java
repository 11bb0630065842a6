// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;

class WatchdogTest {
  private static final long SECOND = Duration.ofSeconds(1).toNanos();
  private static final Duration BOUND = Duration.ofSeconds(10);

  private final Watchdog watchdog = new Watchdog(BOUND, () -> {});
  private long now = 1;

  /** How often it must look, once a second, until it barks; -1: not within a minute. */
  private int barksAfter() {
    for (int seconds = 1; seconds <= 60; seconds++) {
      now += SECOND;
      if (watchdog.look(now)) {
        return seconds;
      }
    }
    return -1;
  }

  @Test
  void noticesWorkThatLastsLongerThanTheBound() {
    watchdog.look(now);
    watchdog.begin();

    assertThat(barksAfter()).isBetween(11, 13);
  }

  @Test
  void keepsQuietWhileNothingIsInHand() {
    watchdog.begin();
    watchdog.rest();

    assertThat(barksAfter()).isEqualTo(-1);
  }

  @Test
  void startsAnewWithEachPieceOfWork() {
    for (int i = 0; i < 5; i++) {
      watchdog.begin();
      for (int seconds = 0; seconds < 9; seconds++) {
        now += SECOND;
        assertThat(watchdog.look(now)).isFalse();
      }
    }
  }

  @Test
  void doesNotCountTimeInWhichTheWholeProcessStoodStill() {
    watchdog.begin();
    watchdog.look(now);
    now += Duration.ofHours(8).toNanos(); // the lid was shut

    assertThat(watchdog.look(now)).isFalse();
    assertThat(barksAfter()).isBetween(8, 12);
  }

  @Test
  void needsNoThreadWithoutABound() {
    try (Watchdog off = Watchdog.off().start()) {
      off.begin();
      assertThat(Thread.getAllStackTraces().keySet())
          .extracting(Thread::getName)
          .doesNotContain("everwatch-watchdog");
    }
  }
}

// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.camera;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.HashSet;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;

class BackoffTest {
  private static final Duration FIRST = Duration.ofSeconds(1);
  private static final Duration LONGEST = Duration.ofSeconds(30);

  @Test
  void eachWaitIsTwiceAsLongUpToTheLongestWithJitter() {
    for (long seed = 0; seed < 100; seed++) {
      Backoff backoff = new Backoff(FIRST, LONGEST, new Random(seed));
      for (int attempt = 0; attempt < 100; attempt++) {
        long whole = attempt < 5 ? 1000L << attempt : 30_000;
        assertThat(backoff.next().toMillis())
            .as("seed %d, attempt %d", seed, attempt)
            .isBetween(whole / 2, whole);
      }
      assertThat(backoff.attempts()).isEqualTo(100);
    }
  }

  @Test
  void camerasDoNotComeBackAllAtOnce() {
    Set<Duration> waits = new HashSet<>();
    for (long seed = 0; seed < 50; seed++) {
      waits.add(new Backoff(FIRST, LONGEST, new Random(seed)).next());
    }
    assertThat(waits).hasSizeGreaterThan(45);
  }

  @Test
  void beginsAnewAfterASuccess() {
    Backoff backoff = new Backoff(FIRST, LONGEST, new Random(1));
    for (int i = 0; i < 9; i++) {
      backoff.next();
    }
    backoff.succeeded();
    assertThat(backoff.attempts()).isZero();
    assertThat(backoff.next()).isLessThanOrEqualTo(FIRST);
  }

  @Test
  void theLongestDurationsDoNotOverflow() {
    Backoff backoff = new Backoff(Duration.ofDays(7), Duration.ofDays(7), new Random(1));
    for (int i = 0; i < 70; i++) {
      assertThat(backoff.next()).isBetween(Duration.ofHours(84), Duration.ofDays(7));
    }
  }
}

// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.wall.http;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class FailuresTest {
  private final AtomicLong clock = new AtomicLong();
  private final Failures failures = new Failures(clock::get);

  @Test
  void anAddressMayTryTenTimesAMinute() {
    for (int i = 0; i < 10; i++) {
      assertThat(failures.mayTry("a")).isTrue();
      failures.add("a");
    }

    assertThat(failures.mayTry("a")).isFalse();
    assertThat(failures.mayTry("b")).isTrue();
    clock.addAndGet(Duration.ofMinutes(1).toNanos());
    assertThat(failures.mayTry("a")).isTrue();
  }

  @Test
  void manyAddressesTogetherMayNotTryMoreThanSomeHundredTimes() {
    for (int i = 0; i < 200; i++) {
      failures.add("address " + i);
    }

    assertThat(failures.mayTry("another")).isFalse();
  }
}

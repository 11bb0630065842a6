// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.process;

import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Supplier;

/** Waits for what another process does. */
public final class Await {
  private static final long LOOK_NANOS = TimeUnit.MILLISECONDS.toNanos(100);

  private Await() {}

  /**
   * Returns when the condition holds. One that cannot be asked (an {@link IOException}, as while a
   * process starts) does not hold yet.
   *
   * @param state what to say about the outside when the time is over
   * @throws AssertionError when it does not hold within the limit
   */
  public static void until(
      String what, Duration limit, Callable<Boolean> condition, Supplier<String> state)
      throws Exception {
    Instant deadline = Instant.now().plus(limit);
    String last = "";
    while (true) {
      try {
        if (condition.call()) {
          return;
        }
        last = "";
      } catch (IOException notYet) {
        last = " (last: " + notYet + ")";
      }
      if (Instant.now().isAfter(deadline)) {
        throw new AssertionError(
            "%s did not happen within %s%s%n%s".formatted(what, limit, last, state.get()));
      }
      if (Thread.interrupted()) {
        throw new InterruptedException("while waiting: " + what);
      }
      LockSupport.parkNanos(LOOK_NANOS);
    }
  }
}

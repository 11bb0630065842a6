// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.cli;

import java.time.Duration;
import java.util.OptionalInt;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * Ctrl-C as a wish and not as an end: the JVM waits, with a bound, until the command has put things
 * in order and closed this.
 */
final class StopSignal implements AutoCloseable {
  private static final Duration PATIENCE = Duration.ofSeconds(20);

  private final CountDownLatch wished = new CountDownLatch(1);
  private final CountDownLatch finished = new CountDownLatch(1);
  private final Thread hook = new Thread(this::stop, "stop-signal");

  private volatile OptionalInt status;

  StopSignal() {
    this(OptionalInt.empty());
  }

  /** For commands whose ordinary end it is: the process then ends with this status. */
  StopSignal(int status) {
    this(OptionalInt.of(status));
  }

  private StopSignal(OptionalInt status) {
    this.status = status;
    Runtime.getRuntime().addShutdownHook(hook);
  }

  /** After the wish, the process ends with this status. */
  void endWith(int exitCode) {
    status = OptionalInt.of(exitCode);
  }

  boolean requested() {
    return wished.getCount() == 0;
  }

  /** Waits; true when the wish came. */
  boolean await(Duration limit) throws InterruptedException {
    return wished.await(limit.toMillis(), TimeUnit.MILLISECONDS);
  }

  private void stop() {
    wished.countDown();
    try {
      if (!finished.await(PATIENCE.toSeconds(), TimeUnit.SECONDS)) {
        System.err.println("everwatch: still not in order after 20 s; ending as it is");
      } else if (status.isPresent()) {
        // what the signal would make of it otherwise is a failure
        Runtime.getRuntime().halt(status.getAsInt());
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  @Override
  public void close() {
    finished.countDown();
    if (!requested()) {
      try {
        Runtime.getRuntime().removeShutdownHook(hook);
      } catch (IllegalStateException e) {
        // The end has begun in between; the hook returns at once.
      }
    }
  }
}

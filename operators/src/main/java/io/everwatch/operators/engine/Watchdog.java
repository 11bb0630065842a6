// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.engine;

import java.time.Duration;
import java.util.concurrent.locks.LockSupport;

/**
 * Notices that the step thread has been at one piece of work for longer than a bound.
 *
 * <p>Time in which the whole process stood still (a suspended machine, a debugger) does not count:
 * the watchdog stood still as well, and adds up only what it saw pass itself.
 */
final class Watchdog implements AutoCloseable {
  private static final long LONGEST_TICK = Duration.ofSeconds(1).toNanos();
  private static final long RESTING = 0;

  private final long bound;
  private final long tick;
  private final Runnable hung;
  private final Thread thread;

  /** Number of the work in hand; written by the step thread alone. */
  private volatile long work = RESTING;

  private long begun; // step thread
  private volatile boolean closed;

  // What the watchdog saw when it last looked.
  private long seen = RESTING;
  private long looked;
  private long stuck;

  /**
   * @param bound zero: never
   * @param hung called once, on the watchdog's thread
   */
  Watchdog(Duration bound, Runnable hung) {
    this.bound = bound.toNanos();
    this.tick = Math.max(1, Math.min(this.bound / 8, LONGEST_TICK));
    this.hung = hung;
    this.thread = new Thread(this::watch, "everwatch-watchdog");
    thread.setDaemon(true);
    thread.setContextClassLoader(Watchdog.class.getClassLoader()); // not a job's
  }

  /** Watches nobody. */
  static Watchdog off() {
    return new Watchdog(Duration.ZERO, () -> {});
  }

  Watchdog start() {
    if (bound > 0) {
      looked = System.nanoTime();
      thread.start();
    }
    return this;
  }

  /** Step thread: a new piece of work begins, the one before has ended. */
  void begin() {
    begun++;
    work = begun;
  }

  /** Step thread: it waits for work. */
  void rest() {
    work = RESTING;
  }

  private void watch() {
    while (!closed) {
      LockSupport.parkNanos(tick);
      if (look(System.nanoTime())) {
        hung.run();
        return;
      }
    }
  }

  /** Whether the work in hand has lasted too long. */
  boolean look(long now) {
    long passed = Math.min(now - looked, 2 * tick);
    looked = now;
    long present = work;
    stuck = present == seen && present != RESTING ? stuck + passed : 0;
    seen = present;
    return stuck > bound && !closed;
  }

  @Override
  public void close() {
    closed = true;
    LockSupport.unpark(thread);
    if (Thread.currentThread() != thread) {
      try {
        thread.join();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
  }
}

// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.wall;

import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.apache.kafka.common.errors.WakeupException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads one topic on a thread of its own and begins again when that fails, so that one that may not
 * be read, or is not there yet, keeps none of the others from being shown.
 */
final class ReaderThread implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(ReaderThread.class);
  private static final Duration AGAIN = Duration.ofSeconds(3);
  private static final Duration END = Duration.ofSeconds(10);

  /** An open reader. */
  interface Source extends AutoCloseable {
    /** Waits for records for a moment and passes them on. */
    void poll();

    /** Records that were none of the topic's kind. */
    long skipped();

    /** Ends a running {@link #poll}; from any thread. */
    void wakeup();

    @Override
    void close();
  }

  private final Callable<Source> opening;
  private final Thread thread;
  private ReaderStatus status = ReaderStatus.STARTING;
  private @Nullable Source open;
  private boolean closed;

  ReaderThread(String name, Callable<Source> opening) {
    this.opening = opening;
    thread = new Thread(this::run, "wall-" + name);
    thread.setDaemon(true);
    thread.start();
  }

  synchronized ReaderStatus status() {
    return status;
  }

  private void run() {
    String told = "";
    while (!isClosed()) {
      try (Source source = opened()) {
        told = "";
        while (!isClosed()) {
          source.poll();
          report(new ReaderStatus(true, source.skipped(), ""));
        }
      } catch (WakeupException e) {
        return; // closed
      } catch (Exception e) { // anything: the others go on, and so does this one
        String problem = Objects.requireNonNullElse(e.getMessage(), e.getClass().getSimpleName());
        if (isClosed()) {
          return;
        }
        if (!problem.equals(told)) {
          LOG.warn("{}: {}; trying again every {} s", thread.getName(), problem, AGAIN.toSeconds());
          told = problem;
        }
        report(new ReaderStatus(false, status().skipped(), problem));
        pause();
      }
    }
  }

  private Source opened() throws Exception {
    Source source = opening.call();
    synchronized (this) {
      open = source;
    }
    report(new ReaderStatus(true, 0, ""));
    return source;
  }

  private synchronized void report(ReaderStatus now) {
    status = now;
  }

  private synchronized boolean isClosed() {
    return closed;
  }

  private synchronized void pause() {
    open = null;
    long end = System.nanoTime() + AGAIN.toNanos();
    try {
      while (!closed && System.nanoTime() - end < 0) {
        wait(Math.max(1, (end - System.nanoTime()) / 1_000_000));
      }
    } catch (InterruptedException e) {
      closed = true;
    }
  }

  @Override
  public void close() {
    Source source;
    synchronized (this) {
      closed = true;
      source = open;
      notifyAll();
    }
    if (source != null) {
      source.wakeup();
    }
    try {
      thread.join(END.toMillis());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}

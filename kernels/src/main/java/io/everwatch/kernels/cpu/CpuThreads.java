// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cpu;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.IntConsumer;
import org.jspecify.annotations.Nullable;

/**
 * The threads of one back end: the caller and {@code count - 1} workers, which sleep between calls.
 * A task computes whole outputs, so the number of threads changes no bit.
 */
final class CpuThreads implements AutoCloseable {
  /** Below this many multiplications in all, waking a worker costs more than it saves. */
  private static final long WORTH_WAKING = 400_000;

  private final int count;
  private final ExecutorService workers;

  /** One task of a call. */
  interface Task {
    /**
     * Runs in one of the threads.
     *
     * @param worker number of the executing thread within the call, below {@link #count}
     * @param index number of the task
     */
    void run(int worker, int index);
  }

  CpuThreads(int count) {
    this.count = count;
    AtomicInteger number = new AtomicInteger();
    this.workers =
        Executors.newFixedThreadPool(
            Math.max(1, count - 1), // its threads start with the first task only
            body -> {
              Thread thread = new Thread(body, "everwatch-cpu-" + number.incrementAndGet());
              thread.setDaemon(true);
              return thread;
            });
  }

  /** Threads that a call may use, the caller's own among them. */
  int count() {
    return count;
  }

  /** Whether {@code tasks} tasks of {@code cost} multiplications each would be shared. */
  boolean shares(int tasks, long cost) {
    return count > 1 && tasks > 1 && tasks * cost >= WORTH_WAKING;
  }

  /**
   * Runs {@code task} for 0 to {@code tasks - 1} and returns when all are done.
   *
   * @param cost about how many multiplications one task is
   * @throws RuntimeException or Error what the first failing task threw
   */
  void run(int tasks, long cost, Task task) {
    if (!shares(tasks, cost)) {
      for (int i = 0; i < tasks; i++) {
        task.run(0, i);
      }
      return;
    }
    int helpers = Math.min(count, tasks) - 1;
    AtomicInteger next = new AtomicInteger();
    AtomicReference<Throwable> failure = new AtomicReference<>();
    CountDownLatch done = new CountDownLatch(helpers);
    IntConsumer drain =
        worker -> {
          try {
            for (int i = next.getAndIncrement(); i < tasks; i = next.getAndIncrement()) {
              task.run(worker, i);
            }
          } catch (Throwable e) { // handed to the caller below
            failure.compareAndSet(null, e);
            next.set(tasks);
          }
        };
    for (int i = 1; i <= helpers; i++) {
      int worker = i;
      workers.execute(
          () -> {
            drain.accept(worker);
            done.countDown();
          });
    }
    drain.accept(0);
    await(done);
    rethrow(failure.get());
  }

  /** Waits without being interruptible: tasks write to buffers of the caller. */
  private static void await(CountDownLatch done) {
    boolean interrupted = false;
    while (true) {
      try {
        done.await();
        break;
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  private static void rethrow(@Nullable Throwable failure) {
    if (failure instanceof RuntimeException e) {
      throw e;
    }
    if (failure instanceof Error e) {
      throw e;
    }
  }

  @Override
  public void close() {
    workers.shutdown();
  }
}

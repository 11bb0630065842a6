// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cpu;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * The threads of one back end: the caller and {@code count - 1} helpers. A task computes whole
 * outputs, so the number of threads changes no bit.
 *
 * <p>The calls of a step follow one another within microseconds, and waking a sleeping thread costs
 * tens of them. So a helper looks for the next call a short while before it sleeps, and the caller
 * never waits for one that has not begun: it does the work itself.
 */
final class CpuThreads implements AutoCloseable {
  /**
   * Multiplications of a call below which sharing it costs more than it saves: about 3 us of work,
   * while a waiting helper begins 1 to 3 us after the call (2026-11-20, two cores of an EPYC).
   */
  private static final long WORTH_SHARING = 100_000;

  /** The same when a helper sleeps and must be woken, which takes some 60 us (2026-11-20). */
  private static final long WORTH_WAKING = 400_000;

  /**
   * How long a helper looks for the next call, longer than what lies between two of a step. 250 us
   * were no faster for one stream (2026-11-20), and the core may be wanted by others.
   */
  private static final long AWAKE_NANOS = 100_000;

  /**
   * How long the caller looks whether the helpers are done before it sleeps: tasks are of the same
   * size, so a longer wait means that a helper has lost its core.
   */
  private static final long PATIENCE_NANOS = 100_000;

  private static final int LOOKS_PER_CLOCK = 32; // reading the clock costs more than looking

  private final Helper[] helpers;
  private volatile @Nullable Call current;
  private volatile boolean closed;

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
    helpers = new Helper[count - 1];
    for (int i = 0; i < helpers.length; i++) {
      helpers[i] = new Helper(i + 1);
    }
  }

  /** Threads that a call may use, the caller's own among them. */
  int count() {
    return helpers.length + 1;
  }

  /** Whether {@code tasks} tasks of {@code cost} multiplications each would be shared. */
  boolean shares(int tasks, long cost) {
    return helpers.length > 0
        && tasks > 1
        && tasks * cost >= (helpers[0].awake ? WORTH_SHARING : WORTH_WAKING);
  }

  /**
   * Runs {@code task} for 0 to {@code tasks - 1} and returns when all are done. One call at a time.
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
    Call call = new Call(tasks, task);
    current = call;
    for (int i = 0; i < Math.min(helpers.length, tasks - 1); i++) {
      helpers[i].wake();
    }
    call.drain(0);
    call.awaitHelpers();
    rethrow(call.failure.get());
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
    closed = true;
    for (Helper helper : helpers) {
      LockSupport.unpark(helper);
    }
  }

  /** One call of {@link #run}. */
  private static final class Call {
    private final int tasks;
    private final Task task;
    private final Thread caller = Thread.currentThread();
    private final AtomicInteger next = new AtomicInteger();
    private final AtomicInteger helping = new AtomicInteger(); // helpers that may be at a task
    private final AtomicReference<Throwable> failure = new AtomicReference<>();

    Call(int tasks, Task task) {
      this.tasks = tasks;
      this.task = task;
    }

    /** Runs tasks until none is left to begin. */
    void drain(int worker) {
      try {
        for (int i = next.getAndIncrement(); i < tasks; i = next.getAndIncrement()) {
          task.run(worker, i);
        }
      } catch (Throwable e) { // handed to the caller
        failure.compareAndSet(null, e);
        next.set(tasks);
      }
    }

    /** The part of a helper, who may also come when all is over. */
    void help(int worker) {
      helping.incrementAndGet(); // before it takes a task, so that the caller waits for it
      drain(worker);
      if (helping.decrementAndGet() == 0) {
        LockSupport.unpark(caller);
      }
    }

    /** Waits without being interruptible: tasks write to buffers of the caller. */
    void awaitHelpers() {
      long start = System.nanoTime();
      boolean interrupted = false;
      for (int looks = 1; helping.get() > 0; looks++) {
        if (looks % LOOKS_PER_CLOCK != 0 || System.nanoTime() - start < PATIENCE_NANOS) {
          Thread.onSpinWait();
        } else {
          LockSupport.park(this);
          interrupted |= Thread.interrupted(); // else the next park would return at once
        }
      }
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  /** Takes part in every call that it sees in time; its thread starts with the first. */
  private final class Helper extends Thread {
    private final int worker;
    private boolean started; // the caller's
    private volatile boolean awake;

    Helper(int worker) {
      super("everwatch-cpu-" + worker);
      this.worker = worker;
      setDaemon(true);
    }

    /** The caller's: after it has set the current call. */
    void wake() {
      if (!started) {
        started = true;
        awake = true;
        start();
      } else if (!awake) {
        LockSupport.unpark(this);
      }
    }

    @Override
    public void run() {
      Call last = null;
      long since = System.nanoTime();
      for (int looks = 1; !closed; looks++) {
        Call call = current;
        if (call != null && call != last) {
          call.help(worker);
          last = call;
          since = System.nanoTime();
        } else if (looks % LOOKS_PER_CLOCK != 0 || System.nanoTime() - since < AWAKE_NANOS) {
          Thread.onSpinWait();
        } else {
          awake = false;
          while (current == last && !closed) { // read after awake was unset, see wake
            LockSupport.park(this);
          }
          awake = true;
          since = System.nanoTime();
        }
      }
    }
  }
}

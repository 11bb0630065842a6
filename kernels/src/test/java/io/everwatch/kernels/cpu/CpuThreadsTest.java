// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicIntegerArray;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Sharing of tasks; that it changes no bit is shown in {@link CpuInvarianceTest}. */
class CpuThreadsTest {
  private static final long LARGE = 1 << 20;

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 5})
  void everyTaskRunsOnceAndIsDoneWhenTheCallReturns(int count) {
    try (CpuThreads threads = new CpuThreads(count)) {
      for (int call = 0; call < 5_000; call++) {
        int tasks = 1 + call % 6;
        int[] runs = new int[tasks]; // plain: what a helper wrote must be visible afterwards
        AtomicIntegerArray busy = new AtomicIntegerArray(count);
        threads.run(
            tasks,
            LARGE,
            (worker, task) -> {
              assertThat(busy.incrementAndGet(worker)).as("tasks at once of a worker").isEqualTo(1);
              runs[task]++;
              busy.decrementAndGet(worker);
            });
        assertThat(runs).containsOnly(1);
      }
    }
  }

  @Test
  void aHelperTakesPartHoweverLongItSlept() throws InterruptedException {
    try (CpuThreads threads = new CpuThreads(2)) {
      for (int call = 0; call < 3; call++) {
        Thread helper = useBoth(threads);
        for (int i = 0; i < 100 && helper.getState() != Thread.State.WAITING; i++) {
          helper.join(100);
        }
        assertThat(helper.getState()).isEqualTo(Thread.State.WAITING);
      }
    }
  }

  @Test
  void whatATaskThrowsReachesTheCaller() {
    try (CpuThreads threads = new CpuThreads(2)) {
      for (int failing = 0; failing < 4; failing++) {
        int bad = failing;
        assertThatThrownBy(
                () ->
                    threads.run(
                        4,
                        LARGE,
                        (worker, task) -> {
                          if (task == bad) {
                            throw new IllegalStateException("task " + task);
                          }
                        }))
            .isInstanceOf(IllegalStateException.class)
            .hasMessage("task " + bad);
      }
    }
  }

  @Test
  void anInterruptDoesNotEndTheCallButIsKept() {
    try (CpuThreads threads = new CpuThreads(2)) {
      Thread caller = Thread.currentThread();
      CountDownLatch both = new CountDownLatch(2);
      CountDownLatch callerIsDone = new CountDownLatch(2); // at its own task
      boolean[] helped = new boolean[1];
      threads.run(
          2,
          LARGE,
          (worker, task) -> {
            meet(both);
            if (worker == 0) {
              callerIsDone.countDown();
            } else {
              meet(callerIsDone);
              caller.interrupt();
              helped[0] = true;
            }
          });
      assertThat(Thread.interrupted()).isTrue();
      assertThat(helped).containsExactly(true);
    }
  }

  @Test
  void closingEndsTheHelpers() throws InterruptedException {
    Thread helper;
    try (CpuThreads threads = new CpuThreads(2)) {
      helper = useBoth(threads);
    }
    helper.join(10_000);
    assertThat(helper.isAlive()).isFalse();
  }

  /** A call whose two tasks run at the same time; the helper's thread. */
  private static Thread useBoth(CpuThreads threads) {
    CountDownLatch both = new CountDownLatch(2);
    Thread[] used = new Thread[2];
    threads.run(
        2,
        LARGE,
        (worker, task) -> {
          used[worker] = Thread.currentThread();
          meet(both);
        });
    assertThat(used[0]).isSameAs(Thread.currentThread());
    return used[1];
  }

  /** Counts down and returns at zero. */
  private static void meet(CountDownLatch all) {
    all.countDown();
    try {
      assertThat(all.await(10, TimeUnit.SECONDS)).as("the helper came").isTrue();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }
}

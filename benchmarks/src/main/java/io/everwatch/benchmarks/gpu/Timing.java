// SPDX-License-Identifier: Apache-2.0
package io.everwatch.benchmarks.gpu;

import java.util.Arrays;

/**
 * Times work that a device does behind the host. Not by the device's events but by the clock: a
 * sample is a batch of calls that lasts {@code minimum} or longer and ends when the device is at
 * rest, so that neither launches nor the wait count. A peer in Python is timed in the same way.
 *
 * @param samples median and spread are of so many
 */
record Timing(int samples, long minimumNanos) {
  /** As the conventions want it. */
  static final Timing FULL = new Timing(30, 20_000_000);

  /** To see that it runs. */
  static final Timing TINY = new Timing(2, 1);

  /**
   * What it took.
   *
   * @param medianNanos of one call
   * @param spread (largest - smallest) / median of the samples
   * @param calls of one sample
   */
  record Result(double medianNanos, double spread, int calls) {}

  /**
   * @param call begins the work; its argument counts calls, to take other operands each time than
   *     those in the device's cache
   * @param rest returns when the device has done all of it
   */
  Result of(Call call, Runnable rest) {
    int calls = 1;
    sample(call, rest, 1); // loads, allocates, compiles
    while (calls < 1 << 20 && sample(call, rest, calls) * calls < minimumNanos) {
      calls *= 2;
    }
    double[] nanos = new double[samples];
    for (int i = 0; i < samples; i++) {
      nanos[i] = sample(call, rest, calls);
    }
    Arrays.sort(nanos);
    double median = (nanos[samples / 2] + nanos[(samples - 1) / 2]) / 2;
    return new Result(median, (nanos[samples - 1] - nanos[0]) / median, calls);
  }

  private static double sample(Call call, Runnable rest, int calls) {
    long begin = System.nanoTime();
    for (int i = 0; i < calls; i++) {
      call.run(i);
    }
    rest.run();
    return (double) (System.nanoTime() - begin) / calls;
  }

  /** Begins work on a device. */
  @FunctionalInterface
  interface Call {
    void run(int number);
  }
}

// SPDX-License-Identifier: Apache-2.0
package io.everwatch.benchmarks;

import org.openjdk.jmh.annotations.AuxCounters;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;

/** Counts arithmetic, which JMH divides by the time: the column {@code gflop} is GFLOP/s. */
@AuxCounters(AuxCounters.Type.OPERATIONS)
@State(Scope.Thread)
public class Work {
  public double gflop;

  void add(double flop) {
    gflop += flop / 1e9;
  }
}

// SPDX-License-Identifier: Apache-2.0
package io.everwatch.benchmarks;

import io.everwatch.kernels.cuda.LaunchProbe;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * What one launch costs the calling thread: by itself, and as a part of a graph. On the stand-in
 * driver with launches switched off ({@code CUEMU=null=1}) that is the cost of Java and the
 * binding.
 */
@SuppressWarnings("NullAway.Init") // the set-up method fills it
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
public class LaunchBenchmark {
  private static final int BETWEEN_WAITS = 500; // below what a driver queues before it blocks

  private LaunchProbe probe;

  @Setup
  public void open() {
    probe = LaunchProbe.open(0);
  }

  @Setup(Level.Invocation)
  public void waitForTheDevice() {
    probe.await();
  }

  @Benchmark
  @OperationsPerInvocation(BETWEEN_WAITS)
  public void launch() {
    for (int i = 0; i < BETWEEN_WAITS; i++) {
      probe.launch();
    }
  }

  @Benchmark
  @OperationsPerInvocation(LaunchProbe.GRAPH_LAUNCHES)
  public void launchInAGraph() {
    probe.replay();
  }

  @TearDown
  public void close() {
    probe.close();
  }
}

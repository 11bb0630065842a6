// SPDX-License-Identifier: Apache-2.0
package io.everwatch.benchmarks;

import io.everwatch.kernels.Arena;
import io.everwatch.kernels.Backend;
import io.everwatch.kernels.DeviceBuffer;
import io.everwatch.kernels.Matrix;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/** One product: decode (1 token), one second's prefill (40), eight streams' vision (512). */
@SuppressWarnings("NullAway.Init") // JMH fills the parameters, the set-up method the rest
@State(Scope.Thread)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
public class LinearBenchmark {
  @Param({"oneDNN", "plain"})
  public String products;

  /** Gate and up, and down projection of the shipped model; attention's output of a 7B model. */
  @Param({"1024x192", "192x512", "3584x3584"})
  public String weights;

  @Param({"1", "40", "512"})
  public int tokens;

  @Param("1")
  public int threads;

  private Backend backend;
  private Arena arena;
  private Matrix matrix;
  private DeviceBuffer x;
  private DeviceBuffer y;

  @Setup
  public void open() {
    int rows = Integer.parseInt(weights.substring(0, weights.indexOf('x')));
    int columns = Integer.parseInt(weights.substring(weights.indexOf('x') + 1));
    backend = Inputs.open(products, threads);
    arena = backend.arena();
    float[] w = Inputs.gaussian(rows * columns);
    float[] input = Inputs.gaussian(tokens * columns);
    matrix = backend.matrix("weights", List.of(Inputs.matrix(w, rows, columns)));
    x = arena.allocate(tokens, columns);
    y = arena.allocate(tokens, rows);
    backend.upload(input, 0, input.length, x);
    backend.linear(x, matrix, null, tokens, y);
    float[] last = new float[1];
    backend.download(y, (long) tokens * rows - 1, last, 0, 1);
    double expected = 0;
    for (int k = 0; k < columns; k++) {
      expected += (double) input[input.length - columns + k] * w[w.length - columns + k];
    }
    Inputs.check(expected, last[0], columns);
  }

  @Benchmark
  public void linear(Work work) {
    backend.linear(x, matrix, null, tokens, y);
    work.add(2.0 * tokens * matrix.rows() * matrix.columns());
  }

  @TearDown
  public void close() {
    arena.close();
    backend.close();
  }
}

// SPDX-License-Identifier: Apache-2.0
package io.everwatch.benchmarks;

import io.everwatch.kernels.Backend;
import io.everwatch.kernels.BackendOptions;
import io.everwatch.kernels.Backends;
import io.everwatch.kernels.TensorSource;
import java.util.List;
import java.util.Random;

/** What the benchmarks run on. */
final class Inputs {
  private Inputs() {}

  /**
   * Opens the CPU back end.
   *
   * @param products {@code oneDNN}, or {@code plain}: the peer
   */
  static Backend open(String products, int threads) {
    return Backends.open("cpu", new BackendOptions(threads, products.equals("plain")));
  }

  static float[] gaussian(int count) {
    Random random = new Random(count);
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return values;
  }

  static TensorSource matrix(float[] values, int rows, int columns) {
    return new TensorSource() {
      @Override
      public String name() {
        return "weights";
      }

      @Override
      public List<Long> shape() {
        return List.of((long) rows, (long) columns);
      }

      @Override
      public void read(long from, float[] to, int at, int count) {
        System.arraycopy(values, Math.toIntExact(from), to, at, count);
      }
    };
  }

  /** A wrong kernel is always fast. */
  static void check(double expected, double actual, double magnitude) {
    if (!(Math.abs(expected - actual) <= 1e-5 * magnitude)) {
      throw new IllegalStateException(
          "the result to be timed is %s, but %s is right".formatted(actual, expected));
    }
  }
}

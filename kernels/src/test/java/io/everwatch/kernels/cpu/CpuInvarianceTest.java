// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import io.everwatch.kernels.Arena;
import io.everwatch.kernels.Backend;
import io.everwatch.kernels.BackendOptions;
import io.everwatch.kernels.Backends;
import io.everwatch.kernels.DeviceBuffer;
import io.everwatch.kernels.Matrix;
import io.everwatch.kernels.Samples;
import io.everwatch.kernels.Vector;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** The bits of a row do not depend on the other rows of the call, nor on the threads. */
class CpuInvarianceTest {
  private static final long SEED = 42;
  private static final int MOST = 130;

  static Stream<Arguments> productsAndShapes() {
    int[][] shapes = {
      {1, 1},
      {3, 5},
      {17, 13},
      {192, 192},
      {320, 192},
      {1024, 192},
      {192, 512},
      {512, 192},
      {384, 128},
      {128, 1176},
      {127, 61},
      {1100, 500},
      {2100, 520},
    };
    return Stream.of(true, false)
        .flatMap(plain -> Arrays.stream(shapes).map(s -> Arguments.of(plain, s[0], s[1])));
  }

  @ParameterizedTest(name = "plain {0} [{1}, {2}]")
  @MethodSource("productsAndShapes")
  void aRowOfAProductIsTheSameAloneAndInEveryBatch(boolean plain, int rows, int columns) {
    float[] x = Samples.gaussian(SEED, MOST * columns);
    float[] w = Samples.gaussian(SEED + 1, rows * columns);
    float[] expected = linear(1, plain, x, w, MOST, rows, columns, 0);
    for (int threads : new int[] {1, 2, 3}) {
      try (Backend backend = Backends.open("cpu", new BackendOptions(threads, plain));
          Arena arena = backend.arena()) {
        Matrix matrix = backend.matrix("w", List.of(Samples.tensor("w", w, rows, columns)));
        for (int tokens : new int[] {1, 2, 3, 7, 12, 40, 63, 64, 65, MOST}) {
          int first = (31 * tokens) % (MOST - tokens + 1);
          arena.reset();
          DeviceBuffer in = arena.allocate(tokens, columns);
          DeviceBuffer out = arena.allocate(tokens, rows);
          backend.upload(x, first * columns, tokens * columns, in);
          backend.linear(in, matrix, null, tokens, out);
          float[] actual = CpuOperationsTest.download(backend, out, tokens * rows);
          assertThat(actual)
              .as("%d threads, rows %d to %d", threads, first, first + tokens - 1)
              .isEqualTo(Arrays.copyOfRange(expected, first * rows, (first + tokens) * rows));
        }
      }
    }
  }

  @ParameterizedTest(name = "plain {0} [{1}, {2}]")
  @MethodSource("productsAndShapes")
  void notANumberInOneRowStaysThere(boolean plain, int rows, int columns) {
    int tokens = 40;
    float[] x = Samples.gaussian(SEED, tokens * columns);
    float[] w = Samples.gaussian(SEED + 1, rows * columns);
    float[] expected = linear(1, plain, x, w, tokens, rows, columns, 0);
    Arrays.fill(x, 5 * columns, 6 * columns, Float.NaN);

    float[] actual = linear(1, plain, x, w, tokens, rows, columns, 5);

    Arrays.fill(expected, 5 * rows, 6 * rows, Float.NaN);
    assertThat(actual).isEqualTo(expected);
  }

  private static float[] linear(
      int threads,
      boolean plain,
      float[] x,
      float[] w,
      int tokens,
      int rows,
      int columns,
      int runsBefore) {
    try (Backend backend = Backends.open("cpu", new BackendOptions(threads, plain));
        Arena arena = backend.arena()) {
      Matrix matrix = backend.matrix("w", List.of(Samples.tensor("w", w, rows, columns)));
      DeviceBuffer in = arena.allocate(tokens, columns);
      DeviceBuffer out = arena.allocate(tokens, rows);
      backend.upload(x, 0, tokens * columns, in);
      for (int i = 0; i <= runsBefore; i++) { // what an earlier call left behind does not matter
        backend.linear(in, matrix, null, tokens, out);
      }
      return CpuOperationsTest.download(backend, out, tokens * rows);
    }
  }

  static Stream<Arguments> plainAndThreads() {
    return Stream.of(true, false)
        .flatMap(plain -> Stream.of(1, 2, 3).map(threads -> Arguments.of(plain, threads)));
  }

  @ParameterizedTest(name = "plain {0}, {1} threads")
  @MethodSource("plainAndThreads")
  void normsAndActivationsOfARowAreTheSameAloneAndInEveryBatch(boolean plain, int threads) {
    int width = 192;
    float[] x = Samples.gaussian(SEED, MOST * 2 * width);
    try (Backend one = Backends.open("cpu", new BackendOptions(1, plain));
        Backend backend = Backends.open("cpu", new BackendOptions(threads, plain))) {
      for (int token = 0; token < MOST; token += 43) {
        float[] alone = rowwise(one, x, token, 1, width);
        float[] together = rowwise(backend, x, 0, MOST, width);
        int size = alone.length;
        assertThat(alone).isEqualTo(Arrays.copyOfRange(together, token * size, (token + 1) * size));
      }
    }
  }

  /** Norm, SwiGLU and GELU of the rows, side by side. */
  private static float[] rowwise(Backend backend, float[] x, int first, int tokens, int width) {
    float[] gain = Samples.gaussian(SEED + 3, width);
    Vector vector = backend.vector("gain", List.of(Samples.tensor("gain", gain, width)));
    try (Arena arena = backend.arena()) {
      DeviceBuffer in = arena.allocate(tokens, 2L * width);
      backend.upload(x, first * 2 * width, tokens * 2 * width, in);
      DeviceBuffer glu = arena.allocate(tokens, width);
      backend.swiGlu(in, tokens, width, glu);
      DeviceBuffer norm = arena.allocate(tokens, width);
      backend.rmsNorm(glu, vector, 1e-6f, tokens, norm);
      backend.gelu(glu, (long) tokens * width);
      float[] both = new float[tokens * 2 * width];
      for (int t = 0; t < tokens; t++) {
        backend.download(norm, (long) t * width, both, 2 * t * width, width);
        backend.download(glu, (long) t * width, both, (2 * t + 1) * width, width);
      }
      return both;
    }
  }
}

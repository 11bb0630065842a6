// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import io.everwatch.kernels.Arena;
import io.everwatch.kernels.Backend;
import io.everwatch.kernels.BackendOptions;
import io.everwatch.kernels.Backends;
import io.everwatch.kernels.DeviceBuffer;
import io.everwatch.kernels.Matrix;
import io.everwatch.kernels.Reference;
import io.everwatch.kernels.Samples;
import io.everwatch.kernels.Tolerance;
import io.everwatch.kernels.Vector;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Products, norms and activations against references in double. */
class CpuOperationsTest {
  private static final long SEED = 20251120;
  private static Backend plain;
  private static Backend library;

  @BeforeAll
  static void open() {
    plain = Backends.open("cpu", new BackendOptions(1, true));
    library = Backends.open("cpu", new BackendOptions(1, false));
  }

  @AfterAll
  static void close() {
    plain.close();
    library.close();
  }

  private static Backend backend(String products) {
    return products.equals("plain") ? plain : library;
  }

  static Stream<Arguments> productsAndShapes() {
    int[][] shapes = {
      {1, 1, 1},
      {2, 1, 3},
      {1, 3, 5},
      {7, 17, 13},
      {2, 15, 16},
      {3, 16, 17},
      {13, 97, 101},
      {1, 320, 192},
      {5, 1024, 192},
      {40, 192, 512},
      {64, 384, 128},
      {257, 31, 64},
      {1, 2053, 67},
    };
    return Stream.of("plain", "oneDNN")
        .flatMap(
            products -> Arrays.stream(shapes).map(s -> Arguments.of(products, s[0], s[1], s[2])));
  }

  @ParameterizedTest(name = "{0} [{1}, {2}, {3}]")
  @MethodSource("productsAndShapes")
  void linearMatchesTheDoubleReference(String products, int tokens, int rows, int columns) {
    Backend backend = backend(products);
    float[] x = Samples.gaussian(SEED, tokens * columns);
    float[] w = Samples.gaussian(SEED + 1, rows * columns);
    float[] b = Samples.gaussian(SEED + 2, rows);
    int cut = rows / 3;
    Matrix matrix =
        backend.matrix(
            "stacked",
            cut == 0
                ? List.of(Samples.tensor("all", w, rows, columns))
                : List.of(
                    Samples.tensor("a", Arrays.copyOf(w, cut * columns), cut, columns),
                    Samples.tensor(
                        "b", Arrays.copyOfRange(w, cut * columns, w.length), rows - cut, columns)));
    Vector bias = backend.vector("bias", List.of(Samples.tensor("bias", b, rows)));
    double[][] expected = Reference.linear(x, w, b, tokens, rows, columns);
    try (Arena arena = backend.arena()) {
      DeviceBuffer in = padded(backend, arena, x);
      DeviceBuffer out = arena.allocate(tokens, rows);
      backend.linear(in, matrix, bias, tokens, out);
      assertSum(expected, download(backend, out, tokens * rows), columns + 1);

      backend.linearAdd(in, matrix, bias, tokens, out);
      double[][] doubled = new double[2][tokens * rows];
      for (int i = 0; i < doubled[0].length; i++) {
        doubled[0][i] = 2 * expected[0][i];
        doubled[1][i] = 2 * expected[1][i];
      }
      assertSum(doubled, download(backend, out, tokens * rows), columns + 2);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 3, 8, 17, 128, 192, 3584})
  void rmsNormMatchesTheDoubleReference(int width) {
    int tokens = 5;
    float[] x = Samples.gaussian(SEED, tokens * width);
    float[] gain = Samples.gaussian(SEED + 1, width);
    Vector vector = plain.vector("gain", List.of(Samples.tensor("gain", gain, width)));
    double[] expected = Reference.rmsNorm(x, gain, 1e-6f, tokens);
    try (Arena arena = plain.arena()) {
      DeviceBuffer in = padded(plain, arena, x);
      DeviceBuffer out = arena.allocate(tokens, width);
      plain.rmsNorm(in, vector, 1e-6f, tokens, out);
      assertRelative(expected, download(plain, out, tokens * width), Tolerance.ofSteps(3));
    }
  }

  static Stream<Arguments> productsAndWidths() {
    int[] widths = {1, 3, 16, 31, 511, 512, 1024, 4097, 18944};
    return Stream.of("plain", "oneDNN")
        .flatMap(products -> Arrays.stream(widths).mapToObj(w -> Arguments.of(products, w)));
  }

  @ParameterizedTest(name = "{0} {1}")
  @MethodSource("productsAndWidths")
  void swiGluMatchesTheDoubleReference(String products, int width) {
    Backend backend = backend(products);
    int tokens = 7;
    float[] gateUp = Samples.gaussian(SEED, tokens * 2 * width);
    for (int i = 0; i < gateUp.length; i++) {
      gateUp[i] *= 8;
    }
    try (Arena arena = backend.arena()) {
      DeviceBuffer in = padded(backend, arena, gateUp);
      DeviceBuffer out = arena.allocate(tokens, width);
      backend.swiGlu(in, tokens, width, out);
      double[] expected = new double[tokens * width];
      for (int t = 0; t < tokens; t++) {
        for (int c = 0; c < width; c++) {
          expected[t * width + c] =
              Reference.silu(gateUp[t * 2 * width + c]) * gateUp[t * 2 * width + width + c];
        }
      }
      assertRelative(expected, download(backend, out, tokens * width), Tolerance.ofSteps(6));
    }
  }

  @ParameterizedTest(name = "{0} {1}")
  @MethodSource("productsAndWidths")
  void geluMatchesTheDoubleReference(String products, int elements) {
    Backend backend = backend(products);
    float[] x = Samples.gaussian(SEED, elements);
    for (int i = 0; i < elements; i++) {
      x[i] *= 3;
    }
    try (Arena arena = backend.arena()) {
      DeviceBuffer in = padded(backend, arena, x);
      backend.gelu(in, elements);
      float[] y = download(backend, in, elements);
      for (int i = 0; i < elements; i += Math.max(1, elements / 500)) {
        // 1 + erf is rounded, and then multiplied by x.
        assertThat(Math.abs(y[i] - Reference.gelu(x[i])))
            .as("gelu(%s) = %s", x[i], y[i])
            .isLessThanOrEqualTo(Tolerance.ofSteps(3) * Math.abs(x[i]));
      }
    }
  }

  /** The values, with NaN on both sides of them in the device's memory. */
  static DeviceBuffer padded(Backend backend, Arena arena, float[] x) {
    float[] nan = new float[64];
    Arrays.fill(nan, Float.NaN);
    backend.upload(nan, 0, 64, arena.allocate(1, 64));
    DeviceBuffer in = arena.allocate(1, x.length);
    backend.upload(x, 0, x.length, in);
    backend.upload(nan, 0, 64, arena.allocate(1, 64));
    return in;
  }

  static float[] download(Backend backend, DeviceBuffer buffer, int count) {
    float[] values = new float[count];
    backend.download(buffer, 0, values, 0, count);
    return values;
  }

  private static void assertSum(double[][] expected, float[] actual, int terms) {
    for (int i = 0; i < actual.length; i++) {
      double limit = Tolerance.ofSum(terms) * expected[1][i];
      assertThat(Math.abs(actual[i] - expected[0][i])).as("element %d", i).isLessThan(limit);
    }
  }

  private static void assertRelative(double[] expected, float[] actual, double limit) {
    for (int i = 0; i < actual.length; i++) {
      double error = Math.abs(actual[i] - expected[i]);
      assertThat(error)
          .as("element %d: %s, expected %s", i, actual[i], expected[i])
          .isLessThanOrEqualTo(limit * Math.abs(expected[i]) + Float.MIN_NORMAL);
    }
  }
}

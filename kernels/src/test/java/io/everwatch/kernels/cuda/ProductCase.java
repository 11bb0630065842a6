// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import io.everwatch.kernels.DType;
import io.everwatch.kernels.Reference;
import io.everwatch.kernels.Samples;
import io.everwatch.kernels.Tolerance;
import io.everwatch.kernels.cuda.Products.Output;
import java.util.Arrays;
import java.util.List;

/**
 * Operands of a product {@code y = x w^T + bias}, rounded as the device has them.
 *
 * @param x {@code [T, K]}
 * @param w {@code [N, K]}
 * @param bias {@code [N]}
 */
record ProductCase(DType type, int rows, int columns, float[] x, float[] w, float[] bias) {
  private static final float RESIDUAL = 1; // what ADD adds to

  /** Standard normal operands. */
  static ProductCase gaussian(long seed, DType type, int tokens, int rows, int columns) {
    return new ProductCase(
        type,
        rows,
        columns,
        rounded(type, Samples.gaussian(seed, tokens * columns)),
        rounded(type, Samples.gaussian(seed + 1, rows * columns)),
        Samples.gaussian(seed + 2, rows));
  }

  private static float[] rounded(DType type, float[] values) {
    return type == DType.F32 ? values : Bf16.round(values);
  }

  int tokens() {
    return x.length / columns;
  }

  /** The same with rows {@code [from, to)} of x alone. */
  ProductCase withTokens(int from, int to) {
    return withX(Arrays.copyOfRange(x, from * columns, to * columns));
  }

  ProductCase withX(float[] other) {
    return new ProductCase(type, rows, columns, other, w, bias);
  }

  /** {@code [T, N]}, widened. */
  float[] run(Products products, CudaDevice device, Output output, boolean biased) {
    int elements = tokens() * rows;
    try (CudaStream stream = CudaStream.open(device);
        DeviceArrays arrays = new DeviceArrays(device);
        CudaWeights weights = new CudaWeights(stream, type, arrays::bytes)) {
      CudaMatrix matrix = weights.matrix("w", List.of(Samples.tensor("w", w, rows, columns)));
      long in = type == DType.F32 ? arrays.of(x) : arrays.bf16(x);
      long out = arrays.bytes(4L * elements);
      if (output == Output.ADD) {
        float[] residual = new float[elements];
        Arrays.fill(residual, RESIDUAL);
        out = arrays.of(residual);
      }
      long b = biased ? arrays.of(bias) : 0;
      products.launch(stream, in, matrix, b, tokens(), output, out);
      return output == Output.BF16 ? arrays.widened(out, elements) : arrays.floats(out, elements);
    }
  }

  /** Against the sum in double: K products and what is added, and the rounding of a bf16 output. */
  void assertClose(float[] y, Output output, boolean biased) {
    float[] added = biased ? bias : new float[0];
    double[][] expected = Reference.linear(x, w, added, tokens(), rows, columns);
    double residual = output == Output.ADD ? RESIDUAL : 0;
    double rounding = output == Output.BF16 ? Tolerance.BF16_ROUNDING : 0;
    assertThat(y).hasSize(expected[0].length);
    for (int i = 0; i < y.length; i++) {
      double sum = expected[0][i] + residual;
      double magnitude = expected[1][i] + residual;
      double limit = Tolerance.ofSum(columns + 2) * magnitude + rounding * Math.abs(sum);
      if (!(Math.abs(y[i] - sum) <= limit)) {
        assertThat(y[i])
            .as(
                "%s [%d, %d]: %s, expected %s within %s",
                output, i / rows, i % rows, y[i], sum, limit)
            .isEqualTo((float) sum);
      }
    }
  }
}

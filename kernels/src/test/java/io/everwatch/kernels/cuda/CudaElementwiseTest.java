// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.everwatch.kernels.DType;
import io.everwatch.kernels.Reference;
import io.everwatch.kernels.Samples;
import io.everwatch.kernels.Tolerance;
import java.util.Arrays;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Rows and elements, in both activation types, against references in double. */
@RequiresDevice
class CudaElementwiseTest {
  private static final long SEED = 20251120;
  private static final float EPS = 1e-6f;

  private enum Activation {
    F32(DType.F32),
    BF16(DType.BF16);

    final DType type;

    Activation(DType type) {
      this.type = type;
    }

    /** Values as the device has them. */
    float[] round(float[] values) {
      return this == F32 ? values.clone() : Bf16.round(values);
    }

    double limit(int roundings) {
      return Tolerance.ofSteps(roundings) + (this == BF16 ? Tolerance.BF16_ROUNDING : 0);
    }
  }

  /** Uploads, launches, downloads. */
  private interface Body {
    float[] run(CudaElementwise kernels, CudaStream stream, DeviceArrays arrays);
  }

  private static float[] run(CudaDevice device, Activation a, Body body) {
    try (CudaStream stream = CudaStream.open(device);
        DeviceArrays arrays = new DeviceArrays(device)) {
      return body.run(new CudaElementwise(device, a.type), stream, arrays);
    }
  }

  private static long put(DeviceArrays arrays, Activation a, float... values) {
    return a == Activation.F32 ? arrays.of(values) : arrays.bf16(values);
  }

  private static float[] get(DeviceArrays arrays, Activation a, long address, int count) {
    return a == Activation.F32 ? arrays.floats(address, count) : arrays.widened(address, count);
  }

  static Stream<Arguments> typesAndWidths() {
    int[] widths = {4, 36, 128, 132, 1280, 3420, 3584};
    return Arrays.stream(Activation.values())
        .flatMap(a -> Arrays.stream(widths).mapToObj(width -> Arguments.of(a, width)));
  }

  @ParameterizedTest(name = "{0} [5, {1}]")
  @MethodSource("typesAndWidths")
  void rmsNormMatchesTheDoubleReference(Activation a, int width) {
    int tokens = 5;
    float[] x = Samples.gaussian(SEED, tokens * width);
    float[] gain = Samples.gaussian(SEED + 1, width);
    double[] expected = Reference.rmsNorm(x, gain, EPS, tokens);

    float[] y = EveryOrder.run(device -> rmsNorm(device, a, x, gain, tokens));

    // The sum of squares has no cancellation; its error is halved by the root.
    assertRelative(expected, y, a.limit(4) + Tolerance.ofSum(width));
  }

  private static float[] rmsNorm(
      CudaDevice device, Activation a, float[] x, float[] gain, int tokens) {
    return run(
        device,
        a,
        (kernels, stream, arrays) -> {
          long out = arrays.bytes(4L * x.length);
          kernels.rmsNorm(stream, arrays.of(x), arrays.of(gain), EPS, tokens, gain.length, out);
          return get(arrays, a, out, x.length);
        });
  }

  @ParameterizedTest
  @EnumSource
  void rmsNormOfARowDoesNotDependOnTheBatch(Activation a) {
    int width = 1284;
    float[] x = Samples.gaussian(SEED, 64 * width);
    float[] gain = Samples.gaussian(SEED + 1, width);
    float[] all = EveryOrder.once(device -> rmsNorm(device, a, x, gain, 64));
    for (int others : new int[] {0, 1, 7}) {
      int first = 63 - others;
      float[] few = Arrays.copyOfRange(x, first * width, x.length);
      float[] some = EveryOrder.once(device -> rmsNorm(device, a, few, gain, others + 1));
      EveryOrder.assertSameBits(
          Arrays.copyOfRange(all, first * width, all.length), some, others + " others");
    }
  }

  @ParameterizedTest(name = "{0} [3, {1}]")
  @MethodSource("typesAndWidths")
  void swiGluMatchesTheDoubleReference(Activation a, int width) {
    int tokens = 3;
    float[] gateUp = a.round(scaled(Samples.gaussian(SEED, tokens * 2 * width), 8));
    gateUp[0] = -200; // e^200 is beyond float32: the result is zero
    double[] expected = new double[tokens * width];
    for (int t = 0; t < tokens; t++) {
      for (int c = 0; c < width; c++) {
        int at = t * 2 * width + c;
        expected[t * width + c] = Reference.silu(gateUp[at]) * gateUp[at + width];
      }
    }

    float[] y =
        EveryOrder.run(
            device ->
                run(
                    device,
                    a,
                    (kernels, stream, arrays) -> {
                      long out = arrays.bytes(4L * tokens * width);
                      kernels.swiGlu(stream, put(arrays, a, gateUp), tokens, width, out);
                      return get(arrays, a, out, tokens * width);
                    }));

    assertRelative(expected, y, a.limit(6));
  }

  @ParameterizedTest(name = "{0} {1}")
  @MethodSource("typesAndWidths")
  void geluMatchesTheDoubleReference(Activation a, int elements) {
    float[] x = a.round(scaled(Samples.gaussian(SEED, elements), 3));

    float[] y =
        EveryOrder.run(
            device ->
                run(
                    device,
                    a,
                    (kernels, stream, arrays) -> {
                      long in = put(arrays, a, x);
                      kernels.gelu(stream, in, elements);
                      return get(arrays, a, in, elements);
                    }));

    for (int i = 0; i < elements; i += Math.max(1, elements / 500)) {
      double expected = Reference.gelu(x[i]);
      // 1 + erf is rounded, and then multiplied by x.
      assertThat(Math.abs(y[i] - expected))
          .as("gelu(%s) = %s", x[i], y[i])
          .isLessThanOrEqualTo(
              Tolerance.ofSteps(3) * Math.abs(x[i]) + (a.limit(1) * Math.abs(expected)));
    }
  }

  @ParameterizedTest
  @EnumSource
  void embedLooksRowsUpAndClearsPaddedOnes(Activation a) {
    int width = 132;
    float[] table = a.round(Samples.gaussian(SEED, 11 * width));
    int[] ids = {10, 0, 3, 3, 1_000_000, -5}; // the last two are padding

    float[] y =
        EveryOrder.run(
            device ->
                run(
                    device,
                    a,
                    (kernels, stream, arrays) -> {
                      long out = arrays.bytes(4L * ids.length * width);
                      kernels.embed(
                          stream,
                          put(arrays, a, table),
                          arrays.of(ids),
                          arrays.of(4),
                          ids.length,
                          width,
                          out);
                      return arrays.floats(out, ids.length * width);
                    }));

    for (int t = 0; t < ids.length; t++) {
      float[] expected =
          t < 4
              ? Arrays.copyOfRange(table, ids[t] * width, (ids[t] + 1) * width)
              : new float[width];
      EveryOrder.assertSameBits(
          expected, Arrays.copyOfRange(y, t * width, (t + 1) * width), "row " + t);
    }
  }

  @ParameterizedTest
  @EnumSource
  void gatherAndScatterMoveRowsUnchanged(Activation a) {
    int width = 36;
    int rowBytes = width * a.type.sizeBytes();
    float[] x = a.round(Samples.gaussian(SEED, 20 * width));
    int[] order = Samples.permutation(SEED, 20);

    float[] there =
        EveryOrder.run(
            device ->
                run(
                    device,
                    a,
                    (kernels, stream, arrays) -> {
                      long out = arrays.bytes(4L * x.length);
                      kernels.gather(
                          stream, put(arrays, a, x), arrays.of(order), 20, rowBytes, out);
                      return get(arrays, a, out, x.length);
                    }));
    float[] back =
        EveryOrder.run(
            device ->
                run(
                    device,
                    a,
                    (kernels, stream, arrays) -> {
                      long out = arrays.bytes(4L * x.length);
                      kernels.scatter(
                          stream, put(arrays, a, there), arrays.of(order), 20, rowBytes, out);
                      return get(arrays, a, out, x.length);
                    }));

    for (int i = 0; i < 20; i++) {
      EveryOrder.assertSameBits(
          Arrays.copyOfRange(x, order[i] * width, (order[i] + 1) * width),
          Arrays.copyOfRange(there, i * width, (i + 1) * width),
          "row " + i);
    }
    EveryOrder.assertSameBits(x, back, "there and back");
  }

  @Test
  void nothingIsLaunchedForNoRows() {
    float[] untouched =
        EveryOrder.once(
            device ->
                run(
                    device,
                    Activation.BF16,
                    (kernels, stream, arrays) -> {
                      long x = arrays.of(1f, 2f, 3f, 4f);
                      kernels.embed(stream, x, x, 0, 0, 4, x);
                      kernels.gather(stream, x, x, 0, 8, x);
                      kernels.scatter(stream, x, x, 0, 8, x);
                      kernels.rmsNorm(stream, x, x, EPS, 0, 4, x);
                      kernels.swiGlu(stream, x, 0, 4, x);
                      kernels.gelu(stream, x, 0);
                      return arrays.floats(x, 4);
                    }));
    assertThat(untouched).containsExactly(1, 2, 3, 4);
  }

  @Test
  void refusesWidthsAndAddressesThatTheKernelsCannotRead() {
    EveryOrder.once(
        device ->
            run(
                device,
                Activation.BF16,
                (kernels, stream, arrays) -> {
                  long x = arrays.bytes(1024);
                  assertThatIllegalArgumentException()
                      .isThrownBy(() -> kernels.rmsNorm(stream, x, x, EPS, 1, 30, x))
                      .withMessageContaining("width 30");
                  assertThatIllegalArgumentException().isThrownBy(() -> kernels.gelu(stream, x, 6));
                  assertThatIllegalArgumentException()
                      .isThrownBy(() -> kernels.gather(stream, x, x, 1, 12, x));
                  assertThatIllegalArgumentException()
                      .isThrownBy(() -> kernels.swiGlu(stream, x + 8, 1, 4, x))
                      .withMessageContaining("aligned to 16");
                  return new float[0];
                }));
  }

  private static float[] scaled(float[] values, float factor) {
    for (int i = 0; i < values.length; i++) {
      values[i] *= factor;
    }
    return values;
  }

  private static void assertRelative(double[] expected, float[] actual, double limit) {
    assertThat(actual).hasSize(expected.length);
    for (int i = 0; i < actual.length; i++) {
      assertThat(Math.abs(actual[i] - expected[i]))
          .as("element %d: %s, expected %s", i, actual[i], expected[i])
          .isLessThanOrEqualTo(limit * Math.abs(expected[i]) + Float.MIN_NORMAL);
    }
  }
}

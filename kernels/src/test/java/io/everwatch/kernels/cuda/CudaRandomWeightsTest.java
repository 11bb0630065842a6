// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import io.everwatch.kernels.DType;
import io.everwatch.kernels.SeededTensor;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.EnumSource.Mode;
import org.junit.jupiter.params.provider.ValueSource;

/** Weights made on the device are those that the host makes, bit for bit. */
@RequiresDevice
class CudaRandomWeightsTest {
  private interface Body {
    float[] run(CudaRandomWeights weights, CudaStream stream, DeviceArrays arrays);
  }

  private static float[] everyOrder(Body body) {
    return EveryOrder.run(
        device -> {
          try (CudaStream stream = CudaStream.open(device);
              DeviceArrays arrays = new DeviceArrays(device)) {
            return body.run(new CudaRandomWeights(device), stream, arrays);
          }
        });
  }

  /** An offset and a scale whose product and sum are rounded: a fused sum has other bits. */
  private static SeededTensor tensor(long... shape) {
    return new SeededTensor(
        "w", java.util.Arrays.stream(shape).boxed().toList(), -987654321012345L, 0.3f, 0.0346f);
  }

  private static float[] values(SeededTensor tensor, DType type) {
    float[] values = new float[(int) tensor.elements()];
    tensor.read(0, values, 0, values.length);
    return type == DType.BF16 ? Bf16.round(values) : values;
  }

  @ParameterizedTest
  @EnumSource(mode = Mode.EXCLUDE, names = "F16")
  void valuesAreThoseOfTheHost(DType type) {
    SeededTensor tensor = tensor(37, 29);

    float[] filled =
        everyOrder(
            (weights, stream, arrays) -> {
              long out = arrays.bytes(4 * tensor.elements());
              weights.fill(stream, tensor, type, out);
              int count = (int) tensor.elements();
              return type == DType.BF16 ? arrays.widened(out, count) : arrays.floats(out, count);
            });

    EveryOrder.assertSameBits(values(tensor, type), filled, type.toString());
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 64, 108, 200})
  void tilesHoldEachValueAtItsPlaceAndZerosBehindARow(int columns) {
    int first = 100; // over the border of two tiles
    int rows = 53;
    int wide = (columns + 63) / 64;
    SeededTensor tensor = tensor(rows, 1, columns);
    float[] expected = values(tensor, DType.BF16);

    float[] image =
        everyOrder(
            (weights, stream, arrays) -> {
              int count = 2 * wide * 128 * 64;
              long out = arrays.bf16(new float[count]);
              weights.fillTiles(stream, tensor, first, out);
              return arrays.widened(out, count);
            });

    for (int row = 0; row < 256; row++) {
      for (int column = 0; column < 64 * wide; column++) {
        int chunk = (column % 64 / 8) ^ (row & 7);
        int at = ((row / 128 * wide + column / 64) * 128 + row % 128) * 64 + chunk * 8 + column % 8;
        boolean there = row >= first && row < first + rows && column < columns;
        assertThat(image[at])
            .as("row %d, column %d", row, column)
            .isEqualTo(there ? expected[(row - first) * columns + column] : 0);
      }
    }
  }

  @Test
  void anEmptyTensorWritesNothing() {
    float[] untouched =
        everyOrder(
            (weights, stream, arrays) -> {
              SeededTensor none = new SeededTensor("none", List.of(0L, 8L), 1, 0, 1);
              long out = arrays.of(7f, 7f, 7f, 7f);
              weights.fill(stream, none, DType.F32, out);
              weights.fillTiles(stream, none, 0, out);
              return arrays.floats(out, 4);
            });
    assertThat(untouched).containsOnly(7);
  }
}

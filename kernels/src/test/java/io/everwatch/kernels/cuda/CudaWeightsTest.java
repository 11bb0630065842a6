// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.everwatch.kernels.DType;
import io.everwatch.kernels.DeviceException;
import io.everwatch.kernels.Samples;
import io.everwatch.kernels.SeededTensor;
import io.everwatch.kernels.TensorSource;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Weights on the device, element by element. */
@RequiresDevice
class CudaWeightsTest {
  private static final long SEED = 20251122;

  @ParameterizedTest(name = "parts of {0} and {1} rows, {2} columns")
  @CsvSource({"128, 128, 64", "3, 1, 5", "100, 77, 200", "1, 300, 77"})
  void laysStackedPartsIntoZeroPaddedTileImages(int first, int second, int columns) {
    float[] values = Samples.gaussian(SEED, (first + second) * columns);
    List<TensorSource> parts = parts(values, first, second, columns);
    float[] images = EveryOrder.run(device -> bf16(device, parts, first + second, columns));
    assertThat(images).containsExactly(images(values, first + second, columns));
  }

  @Test
  void loadsAMatrixOfSeveralPieces() {
    int rows = 700;
    int columns = 3000; // six pieces, the last of them ragged
    float[] values = Samples.gaussian(SEED, rows * columns);
    List<TensorSource> parts = parts(values, 400, 300, columns);
    float[] images = EveryOrder.once(device -> bf16(device, parts, rows, columns));
    assertThat(Arrays.equals(images, images(values, rows, columns))).isTrue();
    float[] plain = EveryOrder.once(device -> f32(device, parts, rows * columns));
    assertThat(Arrays.equals(plain, values)).isTrue();
  }

  @Test
  void aSeededTensorIsMadeWhereItLies() {
    SeededTensor seeded = new SeededTensor("s", List.of(70L, 90L), SEED, 0.25f, 2);
    float[] loaded = Samples.gaussian(SEED, 61 * 90);
    float[] values = Arrays.copyOf(loaded, 131 * 90);
    seeded.read(0, values, loaded.length, 70 * 90);
    List<TensorSource> parts = List.of(Samples.tensor("w", loaded, 61, 90), seeded);
    assertThat(EveryOrder.once(device -> bf16(device, parts, 131, 90)))
        .containsExactly(images(values, 131, 90));
    assertThat(EveryOrder.once(device -> f32(device, parts, 131 * 90))).containsExactly(values);
  }

  @Test
  void saysWhatDoesNotStackAndWhenTheMemoryIsFull() {
    EveryOrder.once(
        device -> {
          try (CudaStream stream = CudaStream.open(device);
              Slab slab = Slab.allocate(device, 1 << 15, "weights");
              CudaWeights weights = new CudaWeights(stream, DType.BF16, slab::take)) {
            assertThatIllegalArgumentException()
                .isThrownBy(
                    () ->
                        weights.matrix(
                            "qkv",
                            List.of(
                                Samples.tensor("q", new float[8], 2, 4),
                                Samples.tensor("k", new float[6], 2, 3))))
                .withMessageContaining("tensor k has 3 columns");
            weights.matrix("small", List.of(Samples.tensor("a", new float[8], 2, 4)));
            assertThatThrownBy(
                    () ->
                        weights.matrix(
                            "large", List.of(Samples.tensor("b", new float[260], 130, 2))))
                .isInstanceOf(DeviceException.class)
                .hasMessageContaining("weights: no room for 32,768 bytes");
            return new float[0];
          }
        });
  }

  @Test
  void refusesTypesWithoutKernels() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> CudaMatrix.bytes(1, 1, DType.F16))
        .withMessageContaining("expected BF16 or F32");
  }

  private static List<TensorSource> parts(float[] values, int first, int second, int columns) {
    return List.of(
        Samples.tensor("a", Arrays.copyOf(values, first * columns), first, columns),
        Samples.tensor(
            "b", Arrays.copyOfRange(values, first * columns, values.length), second, columns));
  }

  private static float[] bf16(CudaDevice device, List<TensorSource> parts, int rows, int columns) {
    int elements = (int) (CudaMatrix.bytes(rows, columns, DType.BF16) / 2);
    try (CudaStream stream = CudaStream.open(device);
        DeviceArrays arrays = new DeviceArrays(device);
        CudaWeights weights = new CudaWeights(stream, DType.BF16, arrays::bytes)) {
      return arrays.widened(weights.matrix("w", parts).address(), elements);
    }
  }

  private static float[] f32(CudaDevice device, List<TensorSource> parts, int elements) {
    try (CudaStream stream = CudaStream.open(device);
        DeviceArrays arrays = new DeviceArrays(device);
        CudaWeights weights = new CudaWeights(stream, DType.F32, arrays::bytes)) {
      return arrays.floats(weights.matrix("w", parts).address(), elements);
    }
  }

  /** {@code [N/128][K/64][128][8 chunks of 8]}, chunk j of row r at {@code j ^ (r & 7)}. */
  private static float[] images(float[] values, int rows, int columns) {
    int across = (columns + 63) / 64;
    float[] images = new float[(rows + 127) / 128 * across * 128 * 64];
    for (int n = 0; n < rows; n++) {
      for (int k = 0; k < columns; k++) {
        int tile = n / 128 * across + k / 64;
        int chunk = (k % 64 / 8) ^ (n & 7);
        images[((tile * 128 + n % 128) * 8 + chunk) * 8 + k % 8] =
            Bf16.widen(Bf16.of(values[n * columns + k]));
      }
    }
    return images;
  }
}

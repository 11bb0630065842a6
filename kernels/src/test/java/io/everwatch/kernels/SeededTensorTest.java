// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import org.junit.jupiter.api.Test;

class SeededTensorTest {
  private static final SeededTensor TENSOR =
      new SeededTensor("w", List.of(300L, 100L), 42, 0.5f, 0.25f);

  @Test
  void hasTheSameValuesHoweverItIsRead() {
    float[] whole = new float[30_000];
    TENSOR.read(0, whole, 0, whole.length);
    float[] piece = new float[1 + 777];
    TENSOR.read(12_345, piece, 1, 777);
    for (int i = 0; i < 777; i++) {
      assertThat(piece[1 + i]).isEqualTo(whole[12_345 + i]);
    }
  }

  @Test
  void isSpreadEvenlyAroundItsOffset() {
    double sum = 0;
    double squares = 0;
    for (int i = 0; i < 30_000; i++) {
      float value = TENSOR.value(i);
      assertThat(value).isBetween(0.25f, 0.75f);
      sum += value;
      squares += (value - 0.5) * (value - 0.5);
    }
    assertThat(sum / 30_000).isCloseTo(0.5, within(0.005));
    assertThat(Math.sqrt(squares / 30_000)).isCloseTo(0.25 / Math.sqrt(3), within(0.002));
  }

  /** Pins the formula: other values would be another model under the same name. */
  @Test
  void neverChangesItsValues() {
    SeededTensor unit = new SeededTensor("u", List.of(4L), 0, 0, 1);
    // The first outputs of SplitMix64 with seed 0: e220a8397b1dcdaf, 6e789e6aa1b965f4.
    assertThat(unit.value(0)).isEqualTo((0xe220a8 - 0x800000) / 8388608f);
    assertThat(unit.value(1)).isEqualTo((0x6e789e - 0x800000) / 8388608f);
  }

  @Test
  void refusesToBeReadBeyondItsEnd() {
    assertThatExceptionOfType(IndexOutOfBoundsException.class)
        .isThrownBy(() -> TENSOR.read(29_999, new float[2], 0, 2));
  }
}

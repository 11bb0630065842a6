// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Random;
import org.junit.jupiter.api.Test;

class RowValuesTest {
  @Test
  void areLittleEndian() {
    assertThat(RowValues.bytes(new float[] {1, -2}))
        .containsExactly(0, 0, 0x80, 0x3F, 0, 0, 0, 0xC0);
    assertThat(RowValues.values(new byte[] {(byte) 0x80, 0x3F}, DType.BF16)).containsExactly(1);
  }

  @Test
  void roundToTheNearestAndToEvenInTheMiddle() {
    assertThat(rounded(1 + 0x1p-9f)).as("below the middle").isEqualTo(1);
    assertThat(rounded(1 + 0x1p-8f)).as("the middle, even below").isEqualTo(1);
    assertThat(rounded(1 + 3 * 0x1p-8f)).as("the middle, even above").isEqualTo(1 + 0x1p-6f);
    assertThat(rounded(1 + 0x1p-8f + 0x1p-20f)).as("above the middle").isEqualTo(1 + 0x1p-7f);
    assertThat(rounded(Float.MAX_VALUE)).isEqualTo(Float.POSITIVE_INFINITY);
    assertThat(rounded(Float.NEGATIVE_INFINITY)).isEqualTo(Float.NEGATIVE_INFINITY);
    assertThat(rounded(Float.intBitsToFloat(0x7F800001))).isNaN();
    assertThat(rounded(-0f)).isEqualTo(-0f);
  }

  private static float rounded(float value) {
    byte[] half = RowValues.convert(RowValues.bytes(new float[] {value}), DType.F32, DType.BF16);
    return RowValues.values(half, DType.BF16)[0];
  }

  @Test
  void noOtherValueIsNearer() {
    Random random = new Random(3);
    for (int n = 0; n < 100_000; n++) {
      float value = Float.intBitsToFloat(random.nextInt());
      float near = rounded(value);
      if (!Float.isFinite(value) || !Float.isFinite(near)) {
        continue;
      }
      int bits = Float.floatToRawIntBits(near);
      for (int other : new int[] {bits + 0x10000, bits - 0x10000}) {
        double distance = Math.abs((double) Float.intBitsToFloat(other) - value);
        assertThat(Math.abs((double) near - value))
            .as("%s", value)
            .isLessThanOrEqualTo(Double.isNaN(distance) ? Double.POSITIVE_INFINITY : distance);
      }
    }
  }

  @Test
  void comeBackFromTheWiderTypeAsTheyWere() {
    byte[] half = new byte[2 << 16];
    for (int i = 0; i < 1 << 16; i++) {
      half[2 * i] = (byte) i;
      half[2 * i + 1] = (byte) (i >> 8);
    }
    byte[] back =
        RowValues.convert(RowValues.convert(half, DType.BF16, DType.F32), DType.F32, DType.BF16);
    for (int i = 0; i < 1 << 16; i++) {
      boolean nan = (i & 0x7F80) == 0x7F80 && (i & 0x7F) != 0;
      int expected = nan ? i | 0x40 : i;
      assertThat((back[2 * i] & 0xFF) | ((back[2 * i + 1] & 0xFF) << 8)).isEqualTo(expected);
    }
    assertThat(RowValues.convert(half, DType.BF16, DType.BF16)).isSameAs(half);
  }

  @Test
  void areNeverOfATypeThatNoBackEndKeepsRowsIn() {
    assertThatThrownBy(() -> RowValues.values(new byte[2], DType.F16))
        .hasMessageContaining("F16; expected F32 or BF16");
  }
}

// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.everwatch.kernels.Samples;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

/** Copies between the heap and memory outside it. */
class NativeMemoryTest {
  /** Pages that are not touched cost nothing. */
  private static final long ELEMENTS = (1L << 28) + 100;

  @Test
  void copiesWhatLiesOnBothSidesOfAGibibyte() {
    float[] values = Samples.gaussian(1, 90);
    long at = (1L << 28) - 40;
    try (NativeMemory memory = NativeMemory.allocate(ELEMENTS, "test")) {
      memory.put(at, values, 10, 80);
      float[] back = new float[100];
      memory.get(at, back, 5, 80);
      assertThat(Arrays.copyOfRange(back, 5, 85))
          .containsExactly(Arrays.copyOfRange(values, 10, 90));
      assertThat(back).startsWith(0, 0, 0, 0, 0).endsWith(new float[15]);
      for (int i : new int[] {0, 39, 40, 79}) {
        assertThat(memory.at(at + i).get()).as("as the library sees it").isEqualTo(values[10 + i]);
      }
    }
  }

  @Test
  void refusesWhatLiesOutside() {
    try (NativeMemory memory = NativeMemory.allocate(7, "test")) {
      assertThatThrownBy(() -> memory.put(5, new float[3], 0, 3))
          .isInstanceOf(IndexOutOfBoundsException.class);
      assertThatThrownBy(() -> memory.get(0, new float[8], 0, 8))
          .isInstanceOf(IndexOutOfBoundsException.class);
    }
  }
}

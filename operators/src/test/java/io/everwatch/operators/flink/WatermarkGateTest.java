// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.flink;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.everwatch.operators.flink.WatermarkGate.Pass;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.apache.flink.streaming.api.watermark.Watermark;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class WatermarkGateTest {
  private record Inside(Pass pass, long after) {}

  /** {@code after}: number of marks offered before it entered; marks are numbered from 1. */
  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 4, 5, 6, 7, 8})
  void neverLetsAMarkOvertakeAndHoldsNoneBackLonger(int seed) {
    Random random = new Random(seed);
    WatermarkGate gate = new WatermarkGate();
    List<Inside> inside = new ArrayList<>();
    long offered = 0;
    long passed = 0;
    for (int i = 0; i < 5000; i++) {
      switch (random.nextInt(3)) {
        case 0 -> inside.add(new Inside(gate.enter(), offered));
        case 1 -> gate.offer(new Watermark(++offered));
        default -> {
          if (!inside.isEmpty()) {
            gate.leave(inside.remove(random.nextInt(inside.size())).pass);
          }
        }
      }
      for (Optional<Watermark> mark = gate.poll(); mark.isPresent(); mark = gate.poll()) {
        long number = mark.get().getTimestamp();
        assertThat(number).as("marks go in order").isGreaterThan(passed);
        passed = number;
      }
      long last = passed;
      assertThat(inside.stream().filter(one -> one.after < last))
          .as("step %d of seed %d: inside before mark %d", i, seed, last)
          .isEmpty();
      if (inside.isEmpty()) {
        assertThat(passed).as("nothing holds mark %d", offered).isEqualTo(offered);
      }
    }
  }

  @Test
  void replacesAMarkThatNothingSeparatesFromTheNext() {
    WatermarkGate gate = new WatermarkGate();
    Pass pass = gate.enter();
    for (long mark = 1; mark <= 1000; mark++) {
      gate.offer(new Watermark(mark));
    }
    assertThat(gate.poll()).isEmpty();

    gate.leave(pass);

    assertThat(gate.poll()).contains(new Watermark(1000));
    assertThat(gate.poll()).isEmpty();
  }

  @Test
  void noticesWhoLeavesTwice() {
    WatermarkGate gate = new WatermarkGate();
    Pass pass = gate.enter();
    gate.leave(pass);

    assertThatThrownBy(() -> gate.leave(pass)).isInstanceOf(IllegalStateException.class);
  }
}

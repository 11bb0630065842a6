// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;

class RowSlotsTest {
  @Test
  void givesASlotToOneHolderUntilTheLastOfThoseWhoShareItLetsGo() {
    RowSlots slots = new RowSlots(4);
    int[] taken = slots.take(3);
    slots.retain(taken);
    slots.release(taken);
    assertThat(slots.available()).isEqualTo(1);
    slots.release(taken, 0, 2);
    assertThat(slots.available()).isEqualTo(3);
    assertThat(slots.used()).isEqualTo(1);
  }

  @Test
  void refusesMoreThanAreFreeAndTakesNone() {
    RowSlots slots = new RowSlots(4);
    slots.take(3);
    assertThatIllegalStateException()
        .isThrownBy(() -> slots.take(2))
        .withMessageContaining("2 rows asked for")
        .withMessageContaining("1 of 4");
    assertThat(slots.available()).isEqualTo(1);
  }

  @Test
  void noticesASlotThatIsGivenBackTwice() {
    RowSlots slots = new RowSlots(4);
    int[] taken = slots.take(1);
    slots.release(taken);
    assertThatIllegalStateException().isThrownBy(() -> slots.release(taken));
    assertThatIllegalStateException().isThrownBy(() -> slots.retain(taken));
  }

  @Test
  void neverGivesOneSlotToTwo() {
    long seed = 11;
    Random random = new Random(seed);
    RowSlots slots = new RowSlots(97);
    List<int[]> held = new ArrayList<>();
    Set<Integer> inUse = new HashSet<>();
    for (int i = 0; i < 10_000; i++) {
      int wanted = random.nextInt(12);
      if (wanted <= slots.available() && random.nextBoolean()) {
        int[] taken = slots.take(wanted);
        for (int slot : taken) {
          assertThat(inUse.add(slot)).as("slot %d, seed %d, step %d", slot, seed, i).isTrue();
        }
        held.add(taken);
      } else if (!held.isEmpty()) {
        int[] back = held.remove(random.nextInt(held.size()));
        slots.release(back);
        for (int slot : back) {
          inUse.remove(slot);
        }
      }
      assertThat(slots.used()).isEqualTo(inUse.size());
    }
  }
}

// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.chaos;

import static org.assertj.core.api.Assertions.assertThat;

import io.everwatch.job.chaos.KillPlan.Kill;
import io.everwatch.job.chaos.KillPlan.Target;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class KillPlanTest {
  @Test
  void isTheSameForTheSameSeedAndAnotherForAnother() {
    assertThat(KillPlan.of(7, 30, true)).isEqualTo(KillPlan.of(7, 30, true));
    assertThat(KillPlan.of(7, 30, true)).isNotEqualTo(KillPlan.of(8, 30, true));
  }

  @Test
  void killsEachKindOnceInEveryThree() {
    for (long seed = 0; seed < 100; seed++) {
      List<Kill> plan = KillPlan.of(seed, 30, true);
      for (int i = 0; i < plan.size(); i += 3) {
        assertThat(plan.subList(i, i + 3))
            .as("seed %d, kills from %d", seed, i)
            .extracting(Kill::target)
            .containsExactlyInAnyOrder(Target.values());
      }
    }
  }

  @Test
  void strikesInsideCheckpointsAndTwiceInARowSometimes() {
    List<Kill> plan = KillPlan.of(7, 30, true);
    assertThat(plan).extracting(Kill::sinceTrigger).contains(Optional.empty());
    assertThat(plan).filteredOn(kill -> kill.sinceTrigger().isPresent()).hasSizeGreaterThan(5);
    assertThat(plan).filteredOn(kill -> kill.second().isPresent()).hasSizeBetween(2, 15);
    assertThat(KillPlan.of(7, 30, false)).noneMatch(kill -> kill.second().isPresent());
  }
}

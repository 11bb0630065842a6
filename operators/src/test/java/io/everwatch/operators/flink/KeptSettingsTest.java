// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.flink;

import static org.assertj.core.api.Assertions.assertThat;

import io.everwatch.operators.model.PrefillSettings;
import io.everwatch.operators.model.StreamSettings;
import io.everwatch.operators.model.StreamSettings.QueryPlacement;
import org.junit.jupiter.api.Test;

class KeptSettingsTest {
  private static StreamSettings settings(String instruction, long seed, long maxGapMicros) {
    return new StreamSettings(
        2,
        1_000_000,
        784,
        3136,
        3,
        4,
        true,
        5,
        9,
        7,
        0,
        1,
        0,
        1,
        seed,
        instruction,
        QueryPlacement.CONTEXT,
        9000,
        0,
        maxGapMicros,
        10_000_000,
        PrefillSettings.DEFAULT);
  }

  @Test
  void namesWhatAStreamKeepsAgainstTheJob() {
    assertThat(KeptSettings.differing(settings("count cars", 1, 9), settings("count dogs", 2, 9)))
        .hasValue("seed 1 (job: 2), instruction 'count cars' (job: 'count dogs')");
  }

  @Test
  void saysNothingOfEqualSettingsAndOfThoseThatTakeEffectAtOnce() {
    assertThat(KeptSettings.differing(settings("a", 1, 9), settings("a", 1, 9))).isEmpty();
    assertThat(KeptSettings.differing(settings("a", 1, 9), settings("a", 1, 10))).isEmpty();
  }
}

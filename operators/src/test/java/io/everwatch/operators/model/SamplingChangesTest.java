// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.model;

import static org.assertj.core.api.Assertions.assertThat;

import io.everwatch.operators.model.StreamSettings.QueryPlacement;
import java.util.Map;
import org.junit.jupiter.api.Test;

class SamplingChangesTest {
  private static final StreamSettings BASE =
      new StreamSettings(
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
          0.9f,
          1.05f,
          20,
          0.95f,
          -42,
          "watch the gate",
          QueryPlacement.FIRST_TURN,
          9000,
          1,
          2,
          3,
          PrefillSettings.DEFAULT);

  @Test
  void changeNothingButWhatTheyName() {
    StreamSettings seeded = SamplingChanges.apply(BASE, check(Map.of("Seed", "7")));

    assertThat(seeded).isEqualTo(BASE.withSeed(7));
  }

  @Test
  void changeEachSettingOfSampling() {
    StreamSettings changed =
        SamplingChanges.apply(
            BASE,
            check(
                Map.of(
                    "temperature", "0.5",
                    "repetition-penalty", "1.2",
                    "topK", "0",
                    "top_p", "1",
                    "max_new_tokens", "30",
                    "seed", "-1")));

    assertThat(changed.temperature()).isEqualTo(0.5f);
    assertThat(changed.repetitionPenalty()).isEqualTo(1.2f);
    assertThat(changed.topK()).isZero();
    assertThat(changed.topP()).isEqualTo(1);
    assertThat(changed.maxNewTokens()).isEqualTo(30);
    assertThat(changed.seed()).isEqualTo(-1);
    assertThat(changed.withSamplingOf(BASE)).isEqualTo(BASE);
  }

  @Test
  void aTemperatureNextToZeroIsGreedyAsInTheModelsFiles() {
    assertThat(SamplingChanges.apply(BASE, Map.of("temperature", "0.000001")).temperature())
        .isZero();
  }

  private static Map<String, String> check(Map<String, String> written) {
    return SamplingChanges.check(written, SamplingChanges.keys());
  }
}

// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.evaluation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class AblationTest {
  @Test
  void allHasEachKindOnceAndTheMethodFirst() {
    List<Ablation> all = Ablation.parse(List.of("all", "compact"));
    assertThat(all).extracting(Ablation::name).doesNotHaveDuplicates().startsWith("compact");
    assertThat(all)
        .extracting(run -> run.name().replaceAll("=.*", ""))
        .contains(
            "no-eviction",
            "sliding-window",
            "sliding-window-overlap",
            "native-positions",
            "no-sink",
            "no-text-window",
            "sink",
            "window",
            "visual-window");
    assertThat(all.stream().filter(Ablation::nativePositions)).hasSize(1);
    assertThat(all.stream().filter(Ablation::endless)).hasSize(1);
  }

  @Test
  void sizesAreSettings() {
    assertThat(Ablation.parse(List.of("window=77")).get(0).settings())
        .containsExactly(java.util.Map.entry("text_window", "77"));
    assertThat(Ablation.parse(List.of("visual-window=4")).get(0).settings())
        .containsEntry("visual_rounds", "4");
    assertThat(Ablation.parse(List.of("sliding-window=24")).get(0).treatment().restartEvery())
        .isEqualTo(24);
  }

  /** A round cannot be without pictures, so they are black. */
  @Test
  void aVisualWindowOfNothingIsBlind() {
    Ablation blind = Ablation.parse(List.of("visual-window=0")).get(0);
    assertThat(blind.settings()).containsEntry("visual_rounds", "1");
    assertThat(blind.treatment().blind()).isTrue();
  }

  @ParameterizedTest
  @ValueSource(strings = {"sinks", "sink", "window=", "window=-1", "sink=9999999", "no-sink=3", ""})
  void whatIsNotKnownIsNamed(String name) {
    assertThatThrownBy(() -> Ablation.parse(List.of(name)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("'" + (name.contains("=") ? "" : name));
  }
}

// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.scene;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RoadSceneTest {
  @Test
  void readsItsSettings() {
    assertThat(RoadScene.parse("scene:road")).isEqualTo(RoadScene.ofSeed(1));
    assertThat(RoadScene.parse("scene:road?")).isEqualTo(RoadScene.ofSeed(1));
    assertThat(RoadScene.parse("scene:road?density=2.0&seed=-5&count=buses"))
        .isEqualTo(new RoadScene(-5, 2.0, Optional.of(VehicleKind.BUS)));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "scene:beach           | there is no scene 'scene:beach'",
        "scene:roads?seed=1    | there is no scene",
        "scene:road?sede=1     | no setting 'sede'; known are seed, density, count",
        "scene:road?seed=one   | 'one' is no number for seed",
        "scene:road?seed       | '' is no number for seed",
        "scene:road?count=dogs | cannot count 'dogs'",
        "scene:road?density=0  | density 0.0",
      })
  void namesWhatItDoesNotKnow(String uri, String message) {
    assertThatThrownBy(() -> RoadScene.parse(uri))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining(message);
  }
}

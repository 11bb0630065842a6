// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.world;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.everwatch.job.world.WorldScene.Place;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What the golden cameras cannot show; the rules of the truth are proved in {@code training}. */
class WorldCameraTest {
  private static final int SECONDS = 300;

  @ParameterizedTest
  @EnumSource(Place.class)
  void renderingIsAPureFunctionOfTheSecond(Place place) {
    WorldCamera one = new WorldCamera(WorldScene.ofSeed(place, 9));
    WorldCamera other = new WorldCamera(WorldScene.ofSeed(place, 9));
    for (int t = 0; t < 20; t++) {
      Second shown = one.step();
      Second late = other.step();
      byte[] frame = one.render(shown).get(1);
      assertThat(one.render(shown).get(1)).isEqualTo(frame);
      if (t == 19) {
        assertThat(other.render(late).get(1)).isEqualTo(frame);
      }
    }
  }

  @ParameterizedTest
  @EnumSource(Place.class)
  void whatIsCountedChangesNothingButTheNumbers(Place place) {
    WorldCamera first = counting(place, place.countable().get(0));
    WorldCamera second = counting(place, place.countable().get(1));
    assertThat(first.instruction()).isNotEqualTo(second.instruction());
    int numbers = 0;
    for (int t = 0; t < SECONDS; t++) {
      String one = first.step().sentence();
      String other = second.step().sentence();
      assertThat(Words.bare(one)).isEqualTo(Words.bare(other));
      numbers += one.equals(other) ? 0 : 1;
    }
    assertThat(numbers).isGreaterThan(10);
  }

  @ParameterizedTest
  @EnumSource(Place.class)
  void marksTheWordsThatOnlyMemoryTells(Place place) {
    WorldCamera camera = new WorldCamera(WorldScene.ofSeed(place, 4));
    int due = 0;
    for (int t = 0; t < SECONDS; t++) {
      Second second = camera.step();
      for (Due part : second.due()) {
        String word = second.sentence().substring(part.start(), part.end());
        assertThat(Words.valueOf(word) >= 0).isEqualTo(part.what() != Due.What.AFTER);
        assertThat(Words.bare(second.sentence())).doesNotContain(" " + word + " inside");
        due++;
      }
    }
    assertThat(due).isGreaterThan(10);
  }

  @Test
  void refusesWhatCannotBe() {
    assertThatThrownBy(() -> counting(Place.DOOR, "car"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("a door cannot count 'car'; it counts one of bag, parcel");
  }

  private static WorldCamera counting(Place place, String word) {
    return new WorldCamera(new WorldScene(place, 21, 2.0, Optional.of(word), View.PLAIN));
  }
}

// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.world;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.everwatch.job.world.View.Light;
import io.everwatch.job.world.View.Occluder;
import io.everwatch.job.world.WorldScene.Place;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SceneUriTest {
  @Test
  void readsItsSettings() {
    assertThat(SceneUri.parse("scene:door")).isEqualTo(WorldScene.ofSeed(Place.DOOR, 1));
    assertThat(SceneUri.parse("scene:road?")).isEqualTo(WorldScene.ofSeed(Place.ROAD, 1));
    assertThat(
            SceneUri.parse(
                "scene:door?density=2.0&seed=-5&count=parcels&size=168x112&fps=4"
                    + "&conditions=night+tree+shake+noise"))
        .isEqualTo(
            new WorldScene(
                Place.DOOR,
                -5,
                2.0,
                Optional.of("parcel"),
                new View(168, 112, 4, Light.NIGHT, Occluder.TREE, 2, 9, 20)));
    assertThat(SceneUri.parse("scene:road?count=buses").counted()).contains("bus");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "scene:beach              | there is no scene 'scene:beach'; known are",
        "scene:doors?seed=1       | there is no scene 'scene:doors?seed=1'",
        "scene:door?sede=1        | no setting 'sede'; known are seed, density, count, size",
        "scene:door?seed=one      | 'one' is no number for seed",
        "scene:door?seed          | '' is no number for seed",
        "scene:door?fps=2.5       | '2.5' is no number for fps",
        "scene:door?fps=0         | fps 0 of a view; expected 1 to 8",
        "scene:door?count=cars    | cannot count 'cars'; it counts one of bags, parcels",
        "scene:door?density=0     | density 0.0 of a scene",
        "scene:door?density=NaN   | density NaN of a scene",
        "scene:door?size=100      | '100' is no size; expected width and height",
        "scene:door?size=60x84    | width 60 of a view; expected 84 to 196",
        "scene:door?size=196x84   | 196x84 pixels; expected a width of 0.7 to 2 heights",
        "scene:door?conditions=   | no condition ''; known are day, dusk, night",
        "scene:door?conditions=fog| no condition 'fog'",
      })
  void namesWhatItDoesNotKnow(String uri, String message) {
    assertThatThrownBy(() -> SceneUri.parse(uri))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining(message);
  }
}

// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.world;

import io.everwatch.job.world.View.Light;
import io.everwatch.job.world.View.Occluder;
import io.everwatch.job.world.WorldScene.Place;
import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;

/**
 * Reads {@code scene:door[?seed=1&density=0.8&count=parcels&size=168x112&fps=4
 * &conditions=night+tree+shake]}.
 */
public final class SceneUri {
  private static final String PREFIX = "scene:";
  private static final int SHAKE = 2;
  private static final int STRONG_NOISE = 9;

  private final String scene;
  private final Place place;
  private long seed = 1;
  private double density = WorldScene.DEFAULT_DENSITY;
  private Optional<String> counted = Optional.empty();
  private int width = View.PLAIN.width();
  private int height = View.PLAIN.height();
  private int fps = View.PLAIN.fps();
  private Light light = View.PLAIN.light();
  private Occluder occluder = View.PLAIN.occluder();
  private int shake = View.PLAIN.shake();
  private int noise = View.PLAIN.noise();

  private SceneUri(String scene, Place place) {
    this.scene = scene;
    this.place = place;
  }

  /**
   * The camera that {@code uri} names.
   *
   * @throws IllegalArgumentException naming what is wrong and what is known
   */
  public static WorldScene parse(String uri) {
    int query = uri.indexOf('?');
    String scene = query < 0 ? uri : uri.substring(0, query);
    Place place =
        Arrays.stream(Place.values())
            .filter(it -> scene.equals(PREFIX + it))
            .findFirst()
            .orElseThrow(
                () ->
                    new IllegalArgumentException(
                        "there is no scene '%s'; known are scene:road and scene:door"
                            .formatted(uri)));
    SceneUri read = new SceneUri(scene, place);
    if (query >= 0 && query < uri.length() - 1) {
      for (String setting : uri.substring(query + 1).split("&", -1)) {
        read.set(setting);
      }
    }
    return read.scene();
  }

  private void set(String setting) {
    int equals = setting.indexOf('=');
    String key = equals < 0 ? setting : setting.substring(0, equals);
    String value = equals < 0 ? "" : setting.substring(equals + 1);
    try {
      switch (key) {
        case "seed" -> seed = Long.parseLong(value);
        case "density" -> density = Double.parseDouble(value);
        case "count" -> counted = Optional.of(countable(value));
        case "size" -> size(value);
        case "fps" -> fps = Integer.parseInt(value);
        case "conditions" -> conditions(value);
        default ->
            throw new IllegalArgumentException(
                "%s has no setting '%s'; known are seed, density, count, size, fps, conditions"
                    .formatted(scene, key));
      }
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException(
          "%s: '%s' is no number for %s".formatted(scene, value, key), e);
    }
  }

  private String countable(String plural) {
    return place.countable().stream()
        .filter(word -> Words.plural(word).equals(plural))
        .findFirst()
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    "%s cannot count '%s'; it counts one of %s"
                        .formatted(
                            scene,
                            plural,
                            String.join(
                                ", ", place.countable().stream().map(Words::plural).toList()))));
  }

  private void size(String value) {
    if (!value.matches("\\d{1,4}x\\d{1,4}")) {
      throw new IllegalArgumentException(
          "%s: '%s' is no size; expected width and height in pixels, such as 168x112"
              .formatted(scene, value));
    }
    int by = value.indexOf('x');
    width = Integer.parseInt(value.substring(0, by));
    height = Integer.parseInt(value.substring(by + 1));
  }

  private void conditions(String value) {
    for (String condition : value.split("\\+", -1)) {
      switch (condition) {
        case "day", "dusk", "night" -> light = Light.valueOf(condition.toUpperCase(Locale.ROOT));
        case "post", "tree" -> occluder = Occluder.valueOf(condition.toUpperCase(Locale.ROOT));
        case "shake" -> shake = SHAKE;
        case "noise" -> noise = STRONG_NOISE;
        default ->
            throw new IllegalArgumentException(
                "%s has no condition '%s'; known are day, dusk, night, post, tree, shake, noise, joined by +"
                    .formatted(scene, condition));
      }
    }
  }

  private WorldScene scene() {
    View view = new View(width, height, fps, light, occluder, shake, noise, View.PLAIN.flicker());
    return new WorldScene(place, seed, density, counted, view);
  }
}

// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.world;

import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * Which camera.
 *
 * @param seed decides all that is random
 * @param density scales how often somebody comes; at 0.8 most seconds are silent
 * @param counted what the instruction names, one of the place's words; empty = drawn from the seed
 */
public record WorldScene(
    Place place, long seed, double density, Optional<String> counted, View view) {
  /** What models are trained and scored with. */
  public static final double DEFAULT_DENSITY = 0.8;

  /** Where it looks. */
  public enum Place {
    ROAD,
    DOOR;

    /** What can be counted there. */
    public List<String> countable() {
      return switch (this) {
        case ROAD -> List.of("car", "bus", "bike");
        case DOOR -> List.of("bag", "parcel");
      };
    }

    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  public WorldScene {
    if (!(density >= 0.05 && density <= 10)) {
      throw new IllegalArgumentException(
          "density %s of a scene; expected 0.05 to 10, usual is %s"
              .formatted(density, DEFAULT_DENSITY));
    }
    counted.ifPresent(
        word -> {
          if (!place.countable().contains(word)) {
            throw new IllegalArgumentException(
                "a %s cannot count '%s'; it counts one of %s"
                    .formatted(place, word, String.join(", ", place.countable())));
          }
        });
  }

  /** A usual camera, plainly seen. */
  public static WorldScene ofSeed(Place place, long seed) {
    return new WorldScene(place, seed, DEFAULT_DENSITY, Optional.empty(), View.PLAIN);
  }

  /** The same with another view. */
  public WorldScene withView(View other) {
    return new WorldScene(place, seed, density, counted, other);
  }
}

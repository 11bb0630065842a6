// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.scene;

import java.util.Optional;

/**
 * Which road.
 *
 * @param seed decides all that is random
 * @param density scales the gaps between vehicles; 0.8 gives an event in 0.38 of the seconds
 * @param counted the kind named in the instruction; empty = drawn from the seed
 */
public record RoadScene(long seed, double density, Optional<VehicleKind> counted) {
  /** What the shipped model is scored with. */
  public static final double DEFAULT_DENSITY = 0.8;

  private static final String URI = "scene:road";

  public RoadScene {
    if (!(density >= 0.05 && density <= 10)) {
      throw new IllegalArgumentException(
          "a road of density %s; expected 0.05 to 10, usual is %s"
              .formatted(density, DEFAULT_DENSITY));
    }
  }

  public static RoadScene ofSeed(long seed) {
    return new RoadScene(seed, DEFAULT_DENSITY, Optional.empty());
  }

  /**
   * Reads {@code scene:road[?seed=1&density=0.8&count=buses]}.
   *
   * @throws IllegalArgumentException naming what is wrong and what is known
   */
  public static RoadScene parse(String uri) {
    if (!uri.equals(URI) && !uri.startsWith(URI + "?")) {
      throw new IllegalArgumentException(
          "there is no scene '%s'; known is %s[?seed=N&density=X&count=cars|buses|bikes]"
              .formatted(uri, URI));
    }
    long seed = 1;
    double density = DEFAULT_DENSITY;
    Optional<VehicleKind> counted = Optional.empty();
    String query = uri.substring(Math.min(uri.length(), URI.length() + 1));
    for (String setting : query.isEmpty() ? new String[0] : query.split("&", -1)) {
      int equals = setting.indexOf('=');
      String key = equals < 0 ? setting : setting.substring(0, equals);
      String value = equals < 0 ? "" : setting.substring(equals + 1);
      try {
        switch (key) {
          case "seed" -> seed = Long.parseLong(value);
          case "density" -> density = Double.parseDouble(value);
          case "count" -> counted = Optional.of(VehicleKind.ofPlural(value));
          default ->
              throw new IllegalArgumentException(
                  "%s has no setting '%s'; known are seed, density, count".formatted(URI, key));
        }
      } catch (NumberFormatException e) {
        throw new IllegalArgumentException(
            "%s: '%s' is no number for %s".formatted(uri, value, key), e);
      }
    }
    return new RoadScene(seed, density, counted);
  }
}

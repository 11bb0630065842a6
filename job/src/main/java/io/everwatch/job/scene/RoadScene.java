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
}

// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.world;

import java.util.Locale;

/** What a traffic light shows. */
public enum Lamp {
  GREEN(20, 230, 60),
  AMBER(255, 170, 0),
  RED(250, 20, 20);

  private final Rgb rgb;

  Lamp(int red, int green, int blue) {
    rgb = new Rgb(red, green, blue);
  }

  Rgb rgb() {
    return rgb;
  }

  /** As it is said. */
  public String word() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** Green, amber, red, green. */
  Lamp next() {
    return values()[(ordinal() + 1) % values().length];
  }
}

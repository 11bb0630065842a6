// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.world;

import java.util.Locale;

/** Of vehicles and clothes. */
public enum Colour {
  RED(215, 30, 30),
  BLUE(30, 70, 225),
  GREEN(20, 160, 50),
  YELLOW(235, 205, 20),
  WHITE(245, 245, 245);

  private final Rgb rgb;

  Colour(int red, int green, int blue) {
    rgb = new Rgb(red, green, blue);
  }

  Rgb rgb() {
    return rgb;
  }

  /** As it is said. */
  public String word() {
    return name().toLowerCase(Locale.ROOT);
  }
}

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

  private final int red;
  private final int green;
  private final int blue;

  Colour(int red, int green, int blue) {
    this.red = red;
    this.green = green;
    this.blue = blue;
  }

  Rgb rgb() {
    return new Rgb(red, green, blue);
  }

  /** As it is said. */
  public String word() {
    return name().toLowerCase(Locale.ROOT);
  }
}

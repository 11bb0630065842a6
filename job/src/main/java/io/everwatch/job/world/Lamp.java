// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.world;

import java.util.Locale;

/** What a traffic light shows. */
public enum Lamp {
  GREEN(20, 230, 60),
  AMBER(255, 170, 0),
  RED(250, 20, 20);

  private final int red;
  private final int green;
  private final int blue;

  Lamp(int red, int green, int blue) {
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

  /** Green, amber, red, green. */
  Lamp next() {
    return switch (this) {
      case GREEN -> AMBER;
      case AMBER -> RED;
      case RED -> GREEN;
    };
  }
}

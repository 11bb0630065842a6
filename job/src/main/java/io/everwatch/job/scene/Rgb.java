// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.scene;

/** One colour before the sensor: 0 to 255 per channel, fractions allowed. */
public record Rgb(double red, double green, double blue) {
  static Rgb grey(double level) {
    return new Rgb(level, level, level);
  }

  static Rgb random(SceneRandom random, double low, double high) {
    return new Rgb(random.uniform(low, high), random.uniform(low, high), random.uniform(low, high));
  }

  /** 0 = red, 1 = green, 2 = blue. */
  double channel(int index) {
    return index == 0 ? red : index == 1 ? green : blue;
  }
}

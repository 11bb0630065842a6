// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.world;

/** A colour, 0 to 255 per channel. */
record Rgb(int red, int green, int blue) {
  static Rgb grey(int level) {
    return new Rgb(level, level, level);
  }

  /** 0 = red, 1 = green, 2 = blue. */
  int channel(int index) {
    return index == 0 ? red : index == 1 ? green : blue;
  }
}

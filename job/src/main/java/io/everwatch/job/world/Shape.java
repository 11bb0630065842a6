// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.world;

import static io.everwatch.job.world.View.UNIT;

import java.util.Locale;

/** What moves. */
enum Shape {
  CAR(28),
  BUS(46),
  BIKE(18),
  PERSON(12);

  private final int width;

  Shape(int units) {
    width = units * UNIT;
  }

  String word() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** In 256ths of a unit. */
  int width() {
    return width;
  }
}

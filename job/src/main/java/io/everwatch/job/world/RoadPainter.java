// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.world;

import static io.everwatch.job.world.View.UNIT;

/** Draws a road. */
final class RoadPainter extends Painter {
  private static final Rgb GLASS = new Rgb(170, 210, 230);
  private static final Rgb TYRE = Rgb.grey(15);
  private static final Rgb HUB = Rgb.grey(120);
  private static final Rgb LAMP_CASE = Rgb.grey(25);
  private static final Rgb LANE_MARK = Rgb.grey(200);
  private static final int HALF_LANE = 14;

  private final Road road;

  RoadPainter(WorldScene scene, Road road) {
    super(scene, road);
    this.road = road;
  }

  @Override
  int groundLevel() {
    return 60;
  }

  @Override
  void still(Canvas canvas, Second second) {
    backdrop(canvas, 40, 26);
    Rgb asphalt = ground();
    int upper = road.back.y;
    int lower = road.front.y;
    canvas.across(upper - HALF_LANE, upper + HALF_LANE, asphalt);
    canvas.across(lower - HALF_LANE, lower + HALF_LANE, asphalt);
    canvas.across(upper + HALF_LANE + 1, upper + HALF_LANE + 3, LANE_MARK);
    int x = (10 + place.below(view.wide() / UNIT - 22, 0, 10)) * UNIT;
    int y = 12 + place.below(10, 0, 11);
    canvas.part(x, y, -8, 8, -9, 9, LAMP_CASE);
    Rgb lit = second.lamp().orElseThrow().rgb();
    canvas.shine(x - 5 * UNIT, x + 5 * UNIT, (y - 6) * UNIT, (y + 6) * UNIT, lit);
  }

  @Override
  void tree(Canvas canvas) {
    int trunk = cover.frontHalf() / UNIT;
    int crown = cover.backHalf() / UNIT;
    canvas.part(cover.x(), 0, -trunk, trunk, 80, BELOW, BARK);
    canvas.part(cover.x(), 0, -crown, crown, 36, 80, LEAVES);
  }

  @Override
  void mover(Canvas canvas, Seen seen, int frame) {
    int x = seen.xs()[frame];
    int y = seen.y();
    Rgb paint = seen.colour().rgb();
    switch (seen.shape()) {
      case CAR -> car(canvas, x, y, paint);
      case BUS -> bus(canvas, x, y, paint);
      case BIKE -> bike(canvas, x, y, paint);
      case PERSON -> throw new IllegalStateException("a person on the road");
    }
  }

  private static void car(Canvas canvas, int x, int y, Rgb paint) {
    canvas.part(x, y, -14, 14, -1, 5, paint);
    canvas.part(x, y, -8, 8, -7, -1, paint);
    canvas.part(x, y, -6, 6, -6, -2, GLASS);
    canvas.part(x, y, -10, -5, 3, 7, TYRE);
    canvas.part(x, y, 5, 10, 3, 7, TYRE);
  }

  private static void bus(Canvas canvas, int x, int y, Rgb paint) {
    canvas.part(x, y, -23, 23, -11, 9, paint);
    for (int window = 0; window < 5; window++) {
      int shift = window * (8 * UNIT + UNIT / 2);
      canvas.part(x + shift, y, -20, -14, -8, -2, GLASS);
    }
    canvas.part(x, y, -17, -11, 7, 11, TYRE);
    canvas.part(x, y, 11, 17, 7, 11, TYRE);
  }

  private static void bike(Canvas canvas, int x, int y, Rgb paint) {
    for (int wheel = -9; wheel <= 1; wheel += 10) {
      canvas.part(x, y, wheel, wheel + 8, 1, 9, TYRE);
      canvas.part(x, y, wheel + 2, wheel + 6, 3, 7, HUB);
    }
    canvas.part(x, y, -5, 5, -2, 2, paint);
    canvas.part(x, y, -3, 3, -9, 0, paint);
  }
}

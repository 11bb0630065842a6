// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.world;

import static io.everwatch.job.world.View.UNIT;

import io.everwatch.job.world.Dice.Purpose;

/** Draws what a scene shows. */
abstract sealed class Painter permits RoadPainter, DoorPainter {
  static final Rgb BARK = new Rgb(85, 60, 40);
  static final Rgb LEAVES = new Rgb(40, 90, 45);
  private static final Rgb STEEL = new Rgb(110, 110, 115);

  /** In units: lower than any shaken picture. */
  static final int BELOW = 128;

  private static final int CLUTTER = 6;

  final Dice place;
  final View view;
  final Cover cover;

  Painter(WorldScene scene, Scene state) {
    place = new Dice(scene.seed(), Purpose.PLACE);
    view = scene.view();
    cover = state.cover;
  }

  static Painter of(WorldScene scene, Scene state) {
    // Java 17 has no pattern switch
    return state instanceof Road road
        ? new RoadPainter(scene, road)
        : new DoorPainter(scene, (Door) state);
  }

  /** What never moves, without the occluder. */
  abstract void still(Canvas canvas, Second second);

  /** One mover in one frame. */
  abstract void mover(Canvas canvas, Seen seen, int frame);

  /** A tree, over everything. */
  abstract void tree(Canvas canvas);

  final void occluder(Canvas canvas) {
    switch (view.occluder()) {
      case NONE -> {}
      case POST -> {
        int half = cover.backHalf() / UNIT;
        canvas.part(cover.x(), 0, -half, half, 36, BELOW, STEEL);
      }
      case TREE -> tree(canvas);
    }
  }

  private Rgb colour(int field) {
    return new Rgb(
        90 + place.below(100, 0, field),
        90 + place.below(100, 0, field + 1),
        90 + place.below(100, 0, field + 2));
  }

  /**
   * The wall or the sky, with things on it.
   *
   * @param lowest the largest row on which a thing begins, exclusive, in units
   * @param tallest of a thing's height, exclusive
   */
  final void backdrop(Canvas canvas, int lowest, int tallest) {
    canvas.gradient(colour(3), colour(6));
    for (int i = 1; i <= CLUTTER; i++) {
      int x = place.below(view.wide() / UNIT, i, 0);
      int y = place.below(lowest, i, 1);
      int width = 6 + place.below(20, i, 2);
      int height = 6 + place.below(tallest - 6, i, 3);
      int level = 45 + place.below(120, i, 4);
      Rgb colour =
          new Rgb(
              level + place.below(50, i, 5),
              level + place.below(50, i, 6),
              level + place.below(50, i, 7));
      canvas.part(x * UNIT, y, 0, width, 0, height, colour);
    }
  }

  final Rgb ground() {
    return Rgb.grey(groundLevel() + place.below(35, 0, 9));
  }

  /** The darkest that the ground may be. */
  abstract int groundLevel();
}

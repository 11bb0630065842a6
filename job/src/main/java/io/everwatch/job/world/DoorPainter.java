// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.world;

import static io.everwatch.job.world.View.UNIT;

/** Draws a door in a wall. */
final class DoorPainter extends Painter {
  private static final Rgb FRAME = new Rgb(215, 205, 190);
  private static final Rgb DOORWAY = new Rgb(35, 30, 30);
  private static final Rgb SKIN = new Rgb(225, 180, 150);
  private static final Rgb TROUSERS = new Rgb(40, 40, 55);
  private static final Rgb LEATHER = new Rgb(120, 70, 30);
  private static final Rgb CARDBOARD = new Rgb(205, 160, 95);
  private static final Rgb TAPE = new Rgb(150, 110, 60);

  private final Door door;

  DoorPainter(WorldScene scene, Door door) {
    super(scene, door);
    this.door = door;
  }

  @Override
  int groundLevel() {
    return 70;
  }

  @Override
  void still(Canvas canvas, Second second) {
    backdrop(canvas, 18, 18);
    int foot = door.back.y;
    int half = Door.HALF_WIDTH;
    canvas.across(foot - 3, BELOW, ground());
    canvas.part(door.doorX, foot, -half - 2, half + 2, -48, 0, FRAME);
    canvas.part(door.doorX, foot, -half, half, -45, 0, DOORWAY);
  }

  @Override
  void tree(Canvas canvas) {
    int half = cover.backHalf() / UNIT;
    canvas.part(cover.x(), 0, -5, 5, 96, 110, BARK);
    canvas.part(cover.x(), 0, -half, half, 54, 96, LEAVES);
  }

  @Override
  void mover(Canvas canvas, Seen seen, int frame) {
    int x = seen.xs()[frame];
    int y = seen.y();
    canvas.part(x, y, -4, -1, -12, 0, TROUSERS);
    canvas.part(x, y, 1, 4, -12, 0, TROUSERS);
    canvas.part(x, y, -6, 6, -28, -12, seen.colour().rgb());
    canvas.part(x, y, -3, 3, -36, -28, SKIN);
    switch (seen.item()) {
      case NOTHING -> {}
      case BAG -> carried(canvas, seen, x, 5, 11, -17, -9, LEATHER);
      case PARCEL -> {
        carried(canvas, seen, x, 4, 13, -27, -18, CARDBOARD);
        carried(canvas, seen, x, 8, 9, -27, -18, TAPE);
      }
    }
  }

  /** A box before a person: near and far in the direction of walking. */
  private static void carried(
      Canvas canvas, Seen person, int x, int near, int far, int top, int bottom, Rgb colour) {
    int left = person.toTheRight() ? near : -far;
    canvas.part(x, person.y(), left, left + far - near, top, bottom, colour);
  }
}

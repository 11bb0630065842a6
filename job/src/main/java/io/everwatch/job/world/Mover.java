// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.world;

import java.util.OptionalInt;

/** A vehicle or a person under way. Lengths in 256ths of a unit. */
final class Mover {
  final Shape shape;
  final Colour colour;
  final Item item;

  /** Per second; negative = to the left. */
  final int speed;

  /** Where a person halts. */
  final OptionalInt goal;

  /** Behind which a vehicle halts, once. */
  OptionalInt stopX;

  /** Its middle in the last frame shown. */
  int x;

  boolean standing;
  int secondsLeft;

  Mover(
      Shape shape,
      Colour colour,
      Item item,
      int speed,
      int x,
      OptionalInt stopX,
      OptionalInt goal) {
    this.shape = shape;
    this.colour = colour;
    this.item = item;
    this.speed = speed;
    this.x = x;
    this.stopX = stopX;
    this.goal = goal;
  }

  /** Where it goes. */
  String side() {
    return speed > 0 ? "right" : "left";
  }

  /** Where it came from. */
  String origin() {
    return speed > 0 ? "left" : "right";
  }

  boolean isAtGoal() {
    return goal.isPresent() && goal.getAsInt() == x;
  }

  /** Lets a second pass; its middle in each of the frames. */
  int[] advance(int fps) {
    int[] xs = new int[fps];
    for (int i = 0; i < fps; i++) {
      xs[i] = standing ? x : x + Math.floorDiv(speed * (i + 1), fps);
      if (goal.isPresent()) {
        xs[i] = speed > 0 ? Math.min(xs[i], goal.getAsInt()) : Math.max(xs[i], goal.getAsInt());
      }
    }
    x = xs[fps - 1];
    return xs;
  }
}

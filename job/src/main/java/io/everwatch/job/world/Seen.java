// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.world;

/**
 * A mover during one second.
 *
 * @param lane 0 = behind, 1 = in front
 * @param y in units: of a vehicle the middle, of a person the feet
 * @param toTheRight where it looks
 * @param xs its middle in each frame, in 256ths of a unit; may lie outside the picture
 */
record Seen(
    int lane,
    int y,
    Shape shape,
    Colour colour,
    Item item,
    boolean toTheRight,
    boolean moving,
    int[] xs) {
  int lastX() {
    return xs[xs.length - 1];
  }

  String side() {
    return toTheRight ? "right" : "left";
  }
}

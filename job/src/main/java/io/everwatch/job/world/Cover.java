// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.world;

/**
 * The place of a view's occluder, in 256ths of a unit.
 *
 * @param x its middle
 * @param backHalf half its width before the lane behind
 * @param frontHalf the same of the lane in front
 */
record Cover(int x, int backHalf, int frontHalf) {
  static final Cover NONE = new Cover(0, 0, 0);

  /** How much it hides of a mover. */
  int hides(int lane, int middle, int width) {
    int half = lane == 0 ? backHalf : frontHalf;
    return Math.max(
        0, Math.min(middle + width / 2, x + half) - Math.max(middle - width / 2, x - half));
  }
}

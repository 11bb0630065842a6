// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.world;

import io.everwatch.job.world.Dice.Purpose;

/**
 * How a camera sees its scene.
 *
 * @param width in pixels, 84 to 196
 * @param height in pixels, 84 to 196
 * @param fps frames per second, 1 to 8
 * @param shake largest shift of a frame, in pixels
 * @param noise deviation of the pixel noise, in grey levels
 * @param flicker deviation of the gain, in thousandths
 */
public record View(
    int width,
    int height,
    int fps,
    Light light,
    Occluder occluder,
    int shake,
    int noise,
    int flicker) {
  /** The usual one: 112x112 pixels, two frames a second, by day, steady. */
  public static final View PLAIN = new View(112, 112, 2, Light.DAY, Occluder.NONE, 0, 5, 20);

  /** Of a scene's lengths: this many make a unit, and 112 units the height of any picture. */
  static final int UNIT = 256;

  private static final int HEIGHT = 112 * UNIT;
  private static final int MIN_SIZE = 84;
  private static final int MAX_SIZE = 196;

  private static final int[][] EVEN_SIZES = {
    {84, 84},
    {112, 112},
    {140, 140},
    {168, 168},
    {196, 196},
    {112, 84},
    {140, 112},
    {168, 112},
    {196, 112},
    {196, 140},
    {84, 112},
    {140, 196}
  };
  private static final int[][] ODD_SIZES = {
    {100, 100}, {150, 150}, {120, 90}, {160, 120}, {150, 100}, {160, 90}, {192, 108}, {90, 120}
  };

  /** What surfaces give back, in 256ths of red, green and blue. */
  public enum Light {
    DAY(256, 256, 256),
    DUSK(190, 160, 150),
    NIGHT(100, 104, 124);

    private final int red;
    private final int green;
    private final int blue;

    Light(int red, int green, int blue) {
      this.red = red;
      this.green = green;
      this.blue = blue;
    }

    Rgb share() {
      return new Rgb(red, green, blue);
    }
  }

  /** What stands before the scene. */
  public enum Occluder {
    NONE,
    POST,
    TREE
  }

  public View {
    require("width", width, MIN_SIZE, MAX_SIZE);
    require("height", height, MIN_SIZE, MAX_SIZE);
    require("fps", fps, 1, 8);
    require("shake", shake, 0, 3);
    require("noise", noise, 0, 12);
    require("flicker", flicker, 0, 100);
    if (10 * width < 7 * height || width > 2 * height) {
      throw new IllegalArgumentException(
          "a view of %dx%d pixels; expected a width of 0.7 to 2 heights".formatted(width, height));
    }
  }

  private static void require(String what, int value, int low, int high) {
    if (value < low || value > high) {
      throw new IllegalArgumentException(
          "%s %d of a view; expected %d to %d".formatted(what, value, low, high));
    }
  }

  /** One of the views that a model is trained on. */
  public static View ofSeed(long seed) {
    Dice dice = new Dice(seed, Purpose.CONDITIONS);
    boolean plain = dice.chance(500, 0, 0);
    int[][] sizes = dice.chance(700, 0, 1) ? EVEN_SIZES : ODD_SIZES;
    int[] size = plain ? new int[] {112, 112} : dice.oneOf(sizes, 0, 2);
    Light light = dice.oneOf(new Light[] {Light.DAY, Light.DAY, Light.DUSK, Light.NIGHT}, 0, 3);
    Integer[] rates = {2, 2, 2, 2, 1, 3, 4, 5, 6, 7, 8};
    Occluder[] occluders = {Occluder.NONE, Occluder.NONE, Occluder.POST, Occluder.TREE};
    Integer[] shakes = {0, 0, 0, 1, 2, 3};
    return new View(
        size[0],
        size[1],
        dice.oneOf(rates, 0, 4),
        light,
        dice.oneOf(occluders, 0, 5),
        dice.oneOf(shakes, 0, 6),
        3 + dice.below(4, 0, 7) + (light == Light.NIGHT ? 2 : 0),
        10 + dice.below(31, 0, 8));
  }

  /** Width of the scene, in 256ths of a unit. */
  int wide() {
    return width * HEIGHT / height;
  }

  /** What shaking may hide at a border, in 256ths of a unit. */
  int inset() {
    return (shake * HEIGHT + height - 1) / height;
  }

  /** The pixel edge nearest to a place in 256ths of a unit, halves up. */
  int pixel(int length) {
    return Math.floorDiv(2 * length * height + HEIGHT, 2 * HEIGHT);
  }
}

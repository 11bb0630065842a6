// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.scene;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * All that never moves in one camera's picture: a vertical gradient, clutter, two lanes, the place
 * of the traffic light.
 *
 * @param top colour of the first row
 * @param bottom colour of the last row
 * @param road grey level of both lanes
 * @param upperLaneY row of the middle of the upper lane
 */
public record Background(
    Rgb top,
    Rgb bottom,
    List<Clutter> clutter,
    double road,
    int upperLaneY,
    int lowerLaneY,
    int lampX,
    int lampY) {
  /** Height and width of the picture. */
  public static final int SIZE = 112;

  private static final int HALF_LANE = 14;
  private static final int LANE_MARK = 200;

  public Background {
    clutter = List.copyOf(clutter);
  }

  /** A rectangle of one colour, cut at the edges of the picture. */
  public record Clutter(int x, int y, int width, int height, Rgb colour) {}

  static Background random(SceneRandom random) {
    Rgb top = Rgb.random(random, 90, 190);
    Rgb bottom = Rgb.random(random, 90, 190);
    List<Clutter> clutter = new ArrayList<>();
    for (int i = 0; i < 6; i++) {
      int x = random.between(0, SIZE);
      int y = random.between(0, 40);
      int width = random.between(6, 26);
      int height = random.between(6, 26);
      double level = random.uniform(70, 190);
      Rgb colour = Rgb.random(random, level - 25, level + 25);
      clutter.add(new Clutter(x, y, width, height, colour));
    }
    return new Background(
        top,
        bottom,
        clutter,
        random.uniform(60, 95),
        random.between(52, 62),
        random.between(86, 96),
        random.between(10, 100),
        random.between(12, 22));
  }

  int laneY(int lane) {
    return lane == 0 ? upperLaneY : lowerLaneY;
  }

  /** {@code [SIZE][SIZE][3]} before the sensor. */
  float[] paint() {
    float[] picture = new float[SIZE * SIZE * 3];
    double step = 1.0 / (SIZE - 1);
    for (int y = 0; y < SIZE; y++) {
      double share = y == SIZE - 1 ? 1 : y * step;
      for (int i = 0; i < SIZE * 3; i++) {
        int channel = i % 3;
        picture[y * SIZE * 3 + i] =
            (float) (top.channel(channel) * (1 - share) + bottom.channel(channel) * share);
      }
    }
    for (Clutter patch : clutter) {
      int right = Math.min(SIZE, patch.x() + patch.width());
      int below = Math.min(SIZE, patch.y() + patch.height());
      for (int y = patch.y(); y < below; y++) {
        for (int i = patch.x() * 3; i < right * 3; i++) {
          picture[y * SIZE * 3 + i] = (float) patch.colour().channel(i % 3);
        }
      }
    }
    fillRows(picture, upperLaneY - HALF_LANE, upperLaneY + HALF_LANE, (float) road);
    fillRows(picture, lowerLaneY - HALF_LANE, lowerLaneY + HALF_LANE, (float) road);
    fillRows(picture, upperLaneY + HALF_LANE + 1, upperLaneY + HALF_LANE + 3, LANE_MARK);
    return picture;
  }

  private static void fillRows(float[] picture, int first, int end, float level) {
    Arrays.fill(picture, first * SIZE * 3, end * SIZE * 3, level);
  }
}

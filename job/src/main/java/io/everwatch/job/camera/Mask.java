// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.camera;

import java.awt.geom.Path2D;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A region of the picture that nobody is to see, in fractions of its width and height, so that it
 * stays over the same things when the camera changes its resolution.
 */
public final class Mask {
  private static final String EXPECTED =
      "expected a rectangle LEFT,TOP,WIDTHxHEIGHT or a polygon X,Y X,Y X,Y …, in fractions from 0 to 1,"
          + " or in pixels with the size of the picture behind them: 100,50,200x80 of 1280x720";

  private static final String NUMBER = "(\\d{1,5}(?:\\.\\d{1,9})?)";
  private static final Pattern OF_SIZE = Pattern.compile("(.*?)\\s+of\\s+(\\S+)");
  private static final Pattern RECTANGLE =
      Pattern.compile(NUMBER + "," + NUMBER + "," + NUMBER + "x" + NUMBER);
  private static final Pattern POINT = Pattern.compile(NUMBER + "," + NUMBER);

  /** Numbers like 0.1 + 0.9 may come out a little above 1. */
  private static final double ROUNDING = 1e-9;

  private final Path2D.Double shape;
  private final String text;

  private Mask(String text, List<double[]> corners) {
    this.text = text;
    shape = new Path2D.Double();
    shape.moveTo(corners.get(0)[0], corners.get(0)[1]);
    corners.subList(1, corners.size()).forEach(corner -> shape.lineTo(corner[0], corner[1]));
    shape.closePath();
  }

  /**
   * Parses a rectangle ({@code 0.1,0.2,0.3x0.4}) or polygon ({@code 0,0 0.5,0 0.5,0.5}).
   *
   * @throws IllegalArgumentException with the forms
   */
  public static Mask parse(String text) {
    String trimmed = text.strip().toLowerCase(Locale.ROOT);
    Matcher sized = OF_SIZE.matcher(trimmed);
    PictureSize size = sized.matches() ? PictureSize.parse(sized.group(2)) : new PictureSize(1, 1);
    List<double[]> corners = corners(sized.matches() ? sized.group(1) : trimmed);
    for (double[] corner : corners) {
      corner[0] /= size.width();
      corner[1] /= size.height();
      if (corner[0] > 1 + ROUNDING || corner[1] > 1 + ROUNDING) {
        throw new IllegalArgumentException("it reaches beyond the picture; " + EXPECTED);
      }
    }
    return new Mask(text, corners);
  }

  private static List<double[]> corners(String text) {
    Matcher rectangle = RECTANGLE.matcher(text);
    if (rectangle.matches()) {
      double left = number(rectangle, 1);
      double top = number(rectangle, 2);
      double right = left + number(rectangle, 3);
      double bottom = top + number(rectangle, 4);
      if (right > left && bottom > top) {
        return List.of(
            new double[] {left, top},
            new double[] {right, top},
            new double[] {right, bottom},
            new double[] {left, bottom});
      }
      throw new IllegalArgumentException("it has no area; " + EXPECTED);
    }
    List<double[]> corners = new ArrayList<>();
    for (String word : text.split("\\s+", -1)) {
      Matcher point = POINT.matcher(word);
      if (!point.matches()) {
        throw new IllegalArgumentException(EXPECTED);
      }
      corners.add(new double[] {number(point, 1), number(point, 2)});
    }
    if (corners.size() < 3) {
      throw new IllegalArgumentException("a polygon has three corners or more; " + EXPECTED);
    }
    return corners;
  }

  private static double number(Matcher match, int group) {
    return Double.parseDouble(match.group(group));
  }

  /**
   * Adds every cell of a grid that this touches.
   *
   * @param cells bit {@code row * columns + column}
   * @param cellWidth in fractions of the picture's width
   */
  void cover(BitSet cells, int columns, int rows, double cellWidth, double cellHeight) {
    for (int row = 0; row < rows; row++) {
      for (int column = 0; column < columns; column++) {
        if (shape.intersects(column * cellWidth, row * cellHeight, cellWidth, cellHeight)) {
          cells.set(row * columns + column);
        }
      }
    }
  }

  @Override
  public String toString() {
    return text;
  }
}

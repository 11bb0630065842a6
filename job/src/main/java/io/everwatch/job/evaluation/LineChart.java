// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.evaluation;

import static io.everwatch.job.evaluation.Figures.fixed;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Shares from 0 to 1 over the life of streams, as SVG that needs no script and no font. */
final class LineChart {
  private static final int WIDTH = 760;
  private static final int HEIGHT = 320;
  private static final int LEFT = 48;
  private static final int TOP = 36;
  private static final int PLOT_WIDTH = 500;
  private static final int PLOT_HEIGHT = 230;
  private static final int LEGEND = LEFT + PLOT_WIDTH + 16;
  private static final int LEGEND_STEP = 15;

  /** Of Okabe and Ito, which people who see fewer colours tell apart; then dashed. */
  private static final List<String> COLOURS =
      List.of("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000");

  private final String title;
  private final double minutes;
  private final Map<String, List<Point>> lines = new LinkedHashMap<>();

  /**
   * A value with its interval at one stretch; NaN: none.
   *
   * @param low may be the value itself: no bar is drawn
   */
  record Point(double value, double low, double high) {
    static final Point NONE = new Point(Double.NaN, Double.NaN, Double.NaN);
  }

  LineChart(String title, double minutes) {
    this.title = title;
    this.minutes = minutes;
  }

  /** One line; its points are evenly spread over the streams' life. */
  LineChart line(String name, List<Point> points) {
    lines.put(name, List.copyOf(points));
    return this;
  }

  String svg() {
    StringBuilder out = new StringBuilder();
    int height = Math.max(HEIGHT, TOP + LEGEND_STEP * lines.size() + 20);
    out.append(
        """
        <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="sans-serif" font-size="11">
        <rect width="100%%" height="100%%" fill="#fff"/>
        """
            .formatted(WIDTH, height));
    text(out, LEFT, 20, "start", title);
    grid(out);
    int index = 0;
    for (Map.Entry<String, List<Point>> line : lines.entrySet()) {
      Pen pen = Pen.of(index);
      draw(out, line.getValue(), pen);
      int row = TOP + 4 + LEGEND_STEP * index++;
      path(out, "M%d %dh18".formatted(LEGEND, row), pen.stroke());
      text(out, LEGEND + 24, row + 4, "start", line.getKey());
    }
    return out.append("</svg>\n").toString();
  }

  /** How a line is drawn. */
  private record Pen(String colour, String stroke) {
    static Pen of(int index) {
      String colour = COLOURS.get(index % COLOURS.size());
      String dash = index < COLOURS.size() ? "" : " stroke-dasharray=\"%d 3\"".formatted(1 + index);
      return new Pen(colour, "stroke=\"%s\"%s".formatted(colour, dash));
    }
  }

  private void grid(StringBuilder out) {
    for (int fifth = 0; fifth <= 5; fifth++) {
      double value = fifth / 5.0;
      path(out, "M%d %sh%d".formatted(LEFT, fixed(y(value), 1), PLOT_WIDTH), "stroke=\"#ddd\"");
      text(out, LEFT - 6, y(value) + 4, "end", fixed(value, 1));
      double x = LEFT + value * PLOT_WIDTH;
      text(out, x, TOP + PLOT_HEIGHT + 18, "middle", fixed(value * minutes, 1));
    }
    double middle = LEFT + PLOT_WIDTH / 2.0;
    text(out, middle, TOP + PLOT_HEIGHT + 36, "middle", "minutes of stream");
  }

  private static void draw(StringBuilder out, List<Point> points, Pen pen) {
    StringBuilder line = new StringBuilder();
    boolean gap = true;
    for (int i = 0; i < points.size(); i++) {
      Point point = points.get(i);
      if (Double.isNaN(point.value())) {
        gap = true;
        continue;
      }
      String x = fixed(LEFT + (i + 0.5) * PLOT_WIDTH / points.size(), 1);
      String y = fixed(y(point.value()), 1);
      line.append(gap ? "M" : "L").append(x).append(' ').append(y);
      gap = false;
      out.append(
          "<circle cx=\"%s\" cy=\"%s\" r=\"2.5\" fill=\"%s\"/>\n".formatted(x, y, pen.colour()));
      if (point.low() < point.high()) {
        String bar = "M%s %sV%s".formatted(x, fixed(y(point.low()), 1), fixed(y(point.high()), 1));
        path(out, bar, "stroke-opacity=\"0.4\" " + pen.stroke());
      }
    }
    path(out, line.toString(), pen.stroke());
  }

  private static void path(StringBuilder out, String way, String stroke) {
    out.append("<path d=\"%s\" fill=\"none\" %s/>\n".formatted(way, stroke));
  }

  private static void text(StringBuilder out, double x, double y, String anchor, String text) {
    String escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;");
    out.append(
        "<text x=\"%s\" y=\"%s\" text-anchor=\"%s\">%s</text>\n"
            .formatted(fixed(x, 1), fixed(y, 1), anchor, escaped));
  }

  private static double y(double share) {
    return TOP + (1 - share) * PLOT_HEIGHT;
  }
}

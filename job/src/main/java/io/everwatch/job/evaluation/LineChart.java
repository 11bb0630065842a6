// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.evaluation;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
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
    put(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" font-family=\"sans-serif\""
            + " font-size=\"11\">%n<rect width=\"100%%\" height=\"100%%\" fill=\"#fff\"/>%n",
        WIDTH,
        height);
    put(out, "<text x=\"%d\" y=\"20\" font-size=\"14\">%s</text>%n", LEFT, escaped(title));
    grid(out);
    int index = 0;
    for (Map.Entry<String, List<Point>> line : lines.entrySet()) {
      draw(out, line.getKey(), line.getValue(), index++);
    }
    return out.append("</svg>\n").toString();
  }

  private void grid(StringBuilder out) {
    for (int fifth = 0; fifth <= 5; fifth++) {
      double value = fifth / 5.0;
      put(
          out,
          "<path d=\"M%d %.1fh%d\" stroke=\"#ddd\"/><text x=\"%d\" y=\"%.1f\""
              + " text-anchor=\"end\">%.1f</text>%n",
          LEFT,
          y(value),
          PLOT_WIDTH,
          LEFT - 6,
          y(value) + 4,
          value);
      put(
          out,
          "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%.1f</text>%n",
          LEFT + value * PLOT_WIDTH,
          TOP + PLOT_HEIGHT + 18,
          value * minutes);
    }
    put(
        out,
        "<text x=\"%d\" y=\"%d\" text-anchor=\"middle\">minutes of stream</text>%n",
        LEFT + PLOT_WIDTH / 2,
        TOP + PLOT_HEIGHT + 36);
  }

  private void draw(StringBuilder out, String name, List<Point> points, int index) {
    String colour = COLOURS.get(index % COLOURS.size());
    String dash = index < COLOURS.size() ? "" : " stroke-dasharray=\"%d 3\"".formatted(1 + index);
    StringBuilder path = new StringBuilder();
    boolean gap = true;
    for (int i = 0; i < points.size(); i++) {
      Point point = points.get(i);
      double x = LEFT + (i + 0.5) * PLOT_WIDTH / points.size();
      if (Double.isNaN(point.value())) {
        gap = true;
        continue;
      }
      put(path, "%s%.1f %.1f", gap ? "M" : "L", x, y(point.value()));
      gap = false;
      put(
          out,
          "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"2.5\" fill=\"%s\"/>%n",
          x,
          y(point.value()),
          colour);
      if (point.low() < point.high()) {
        put(
            out,
            "<path d=\"M%.1f %.1fV%.1f\" stroke=\"%s\" stroke-opacity=\"0.4\"/>%n",
            x,
            y(point.low()),
            y(point.high()),
            colour);
      }
    }
    put(out, "<path d=\"%s\" fill=\"none\" stroke=\"%s\"%s/>%n", path, colour, dash);
    int row = TOP + 4 + LEGEND_STEP * index;
    put(
        out,
        "<path d=\"M%d %dh18\" stroke=\"%s\"%s stroke-width=\"2\"/><text x=\"%d\" y=\"%d\">%s</text>%n",
        LEGEND,
        row,
        colour,
        dash,
        LEGEND + 24,
        row + 4,
        escaped(name));
  }

  private static double y(double share) {
    return TOP + (1 - share) * PLOT_HEIGHT;
  }

  private static String escaped(String text) {
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;");
  }

  private static void put(StringBuilder out, String form, Object... values) {
    out.append(String.format(Locale.ROOT, form.replace("%n", "\n"), values));
  }
}

// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.model;

import java.util.List;

/**
 * Settings and where each comes from.
 *
 * @param origins one per key, in the order in which they are shown
 */
public record ResolvedSettings(StreamSettings settings, List<Origin> origins) {
  public ResolvedSettings {
    origins = List.copyOf(origins);
  }

  /**
   * One setting and who said it.
   *
   * @param value as written where it comes from
   * @param origin e.g. {@code streaming.json}
   * @param help what the setting does, one line
   */
  public record Origin(String key, String value, String origin, String help) {}

  /** A table for people: key, value, origin; one line each. */
  public String describe() {
    int keyWidth = width(origins.stream().map(Origin::key).toList());
    int valueWidth = width(origins.stream().map(Origin::value).toList());
    StringBuilder table = new StringBuilder();
    for (Origin line : origins) {
      table
          .append(pad(line.key(), keyWidth))
          .append("  ")
          .append(pad(line.value(), valueWidth))
          .append("  ")
          .append(line.origin())
          .append('\n');
    }
    return table.toString();
  }

  private static int width(List<String> column) {
    return column.stream().mapToInt(String::length).max().orElse(0);
  }

  private static String pad(String text, int width) {
    return text + " ".repeat(width - text.length());
  }
}

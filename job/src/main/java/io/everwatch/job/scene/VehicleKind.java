// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.scene;

import java.util.Arrays;
import java.util.stream.Collectors;

/** What drives on the road: its word, and the size of its silhouette in pixels. */
public enum VehicleKind {
  CAR("car", "cars", 28, 15),
  BUS("bus", "buses", 46, 22),
  BIKE("bike", "bikes", 18, 18);

  private final String word;
  private final String plural;
  private final int width;
  private final int height;

  VehicleKind(String word, String plural, int width, int height) {
    this.word = word;
    this.plural = plural;
    this.width = width;
    this.height = height;
  }

  public String word() {
    return word;
  }

  public String plural() {
    return plural;
  }

  int width() {
    return width;
  }

  int height() {
    return height;
  }

  /** The kind named by its plural, as in {@code count=buses}. */
  public static VehicleKind ofPlural(String plural) {
    return Arrays.stream(values())
        .filter(kind -> kind.plural.equals(plural))
        .findFirst()
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    "the road cannot count '%s'; it counts one of %s"
                        .formatted(
                            plural,
                            Arrays.stream(values())
                                .map(VehicleKind::plural)
                                .collect(Collectors.joining(", ")))));
  }
}

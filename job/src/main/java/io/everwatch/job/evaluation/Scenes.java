// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.evaluation;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** The scenes whose truth is known. */
public final class Scenes {
  private static final Map<String, Maker> KNOWN = new TreeMap<>(Map.of("road", RoadCamera::new));

  private interface Maker {
    TrueCamera of(long seed, double density);
  }

  private Scenes() {}

  /** Their names. */
  public static List<String> names() {
    return List.copyOf(KNOWN.keySet());
  }

  /**
   * A camera of that scene.
   *
   * @param density how busy it is
   * @throws IllegalArgumentException when there is no such scene, or it cannot be so busy
   */
  public static TrueCamera open(String scene, long seed, double density) {
    Maker maker = KNOWN.get(scene);
    if (maker == null) {
      throw new IllegalArgumentException(
          "there is no scene '%s' with a known truth; expected %s"
              .formatted(scene, String.join(" or ", names())));
    }
    return maker.of(seed, density);
  }
}

// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.evaluation;

import io.everwatch.job.world.SceneUri;

/** The scenes whose truth is known, by the names of the command line. */
public final class Scenes {
  /** What there is, for messages and help. */
  public static final String KNOWN =
      "road (of the shipped model), world-road, door; the latter two with settings, such as"
          + " door?size=168x112&conditions=night+shake";

  private static final String WORLD = "world-";

  private Scenes() {}

  /**
   * A camera of that scene.
   *
   * @param density how busy it is
   * @throws IllegalArgumentException when there is no such scene, or it cannot be so busy
   */
  public static TrueCamera open(String scene, long seed, double density) {
    if (scene.equals("road")) {
      return new RoadCamera(seed, density);
    }
    int query = scene.indexOf('?');
    String name = query < 0 ? scene : scene.substring(0, query);
    String settings = query < 0 ? "" : scene.substring(query + 1) + "&";
    String place = name.startsWith(WORLD) ? name.substring(WORLD.length()) : name;
    if (!name.equals(WORLD + "road") && !name.equals("door")) {
      throw new IllegalArgumentException(
          "there is no scene '%s' with a known truth; expected %s".formatted(scene, KNOWN));
    }
    return new WorldTruth(
        SceneUri.parse("scene:%s?%sseed=%d&density=%s".formatted(place, settings, seed, density)));
  }
}

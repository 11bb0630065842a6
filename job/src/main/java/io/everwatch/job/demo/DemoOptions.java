// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.demo;

import java.time.Duration;
import java.util.Map;
import java.util.Optional;

/**
 * What the demo shows.
 *
 * @param cameras synthetic road cameras, two frames a second each
 * @param duration how long they run; empty = until stopped
 * @param seed of the first camera's road; the others count on
 * @param settings of the job, by the keys of its configuration; they win over the demo's own
 * @param uiPort of Flink's web interface; 0 = none
 * @param wallPort of the wall, any free one if that is taken; empty = no wall
 * @param version of this program
 */
public record DemoOptions(
    int cameras,
    Optional<Duration> duration,
    long seed,
    Map<String, String> settings,
    int uiPort,
    Optional<Integer> wallPort,
    String version) {
  public DemoOptions {
    if (cameras < 1 || cameras > 1000) {
      throw new IllegalArgumentException("%d cameras; expected 1 to 1000".formatted(cameras));
    }
    settings = Map.copyOf(settings);
  }
}

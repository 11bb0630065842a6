// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.wall.browser;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Two hundred streams under a hand that scrolls. */
class ScrollingITCase {
  private static final int FRAMES = 240;

  /**
   * Of the 16.7 ms that a frame has at 60 a second, what the page's own part may take of the main
   * thread. Time of the thread, not of the wall: a shared machine gives no frames to count on.
   */
  private static final double MAX_MILLIS = 8;

  private static final String SCROLL =
      """
      (async () => {
        const frame = () => new Promise((done) => requestAnimationFrame(done));
        const times = [];
        let most = 0;
        let before = await frame();
        for (let i = 0; i < %d; i++) {
          window.scrollBy(0, i < %<d / 2 ? 60 : -45);
          const now = await frame();
          times.push(now - before);
          before = now;
          most = Math.max(most, document.querySelectorAll('.tile').length);
        }
        times.sort((a, b) => a - b);
        return [times[times.length >> 1], most, window.scrollY];
      })()
      """
          .formatted(FRAMES);

  @Test
  void staysWithinAFramesTimeWithTwoHundredStreams() throws Exception {
    try (Chromium browser = Chromium.start();
        FakeWall wall = FakeWall.start(0, 200, true);
        Tab tab = Look.LIGHT.open(browser)) {
      tab.send(
          "Performance.enable",
          new ObjectMapper().createObjectNode().put("timeDomain", "threadTicks"));
      tab.go(wall.address() + "/");
      tab.await("document.querySelectorAll('.tile img').length > 8", "tiles with pictures");
      Map<String, Double> before = tab.metrics();

      JsonNode scrolled = tab.evaluate(SCROLL);

      Map<String, Double> after = tab.metrics();
      double own = 0;
      for (String part : new String[] {"ScriptDuration", "LayoutDuration", "RecalcStyleDuration"}) {
        own += millisOfAFrame(before, after, part);
      }
      double all = millisOfAFrame(before, after, "TaskDuration");
      System.out.printf(
          "scrolling 200 streams: %.2f ms a frame in scripts, style and layout, %.2f ms of the main"
              + " thread in all (thread time); median between frames %.1f ms%n",
          own, all, scrolled.path(0).asDouble());
      assertThat(own).isLessThanOrEqualTo(MAX_MILLIS);
      assertThat(scrolled.path(1).asInt()).as("tiles in the document").isBetween(8, 60);
      assertThat(scrolled.path(2).asInt()).as("where it scrolled to").isPositive();
      assertThat(tab.complaints).isEmpty();
    }
  }

  private static double millisOfAFrame(
      Map<String, Double> before, Map<String, Double> after, String part) {
    return 1000 * (requireNonNull(after.get(part)) - requireNonNull(before.get(part))) / FRAMES;
  }
}

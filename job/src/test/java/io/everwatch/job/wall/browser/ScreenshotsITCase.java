// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.wall.browser;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Locale;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;

/** Makes pictures of the wall, for the README and to look at (CONTRIBUTING.md has the command). */
@EnabledIfSystemProperty(named = "everwatch.screenshots", matches = ".+")
class ScreenshotsITCase {
  private static final Duration LIMIT = Duration.ofMinutes(2);
  private static final int TILES_WIDTH = 1120;
  private static final int TILES_HEIGHT = 800;

  private final Path folder = Path.of(System.getProperty("everwatch.screenshots", ""));

  /** {@code wall.webp}: a demo with eight cameras after half a minute. */
  @Test
  void ofADemo(@TempDir Path dir) throws Exception {
    try (Chromium browser = Chromium.start();
        RunningDemo demo = RunningDemo.start(8, dir);
        Tab tab = browser.open(TILES_WIDTH, TILES_HEIGHT)) {
      tab.go(demo.wall());
      tab.await("document.querySelectorAll('.tile img').length === 8", "eight pictures", LIMIT);
      String spoken = "document.querySelectorAll('.tile-text[data-tone=said]').length";
      tab.await("performance.now() > 30000 && " + spoken + " > 2", "some of them speak", LIMIT);
      tab.screenshot(folder.resolve("wall.webp"));
    }
  }

  /** {@code PAGE-LOOK.png}: each page in each look, of a simulated wall with troubles. */
  @Test
  void ofEachPage() throws Exception {
    try (FakeWall wall = FakeWall.start(0, 12, true);
        Chromium browser = Chromium.start()) {
      for (Look look : Look.values()) {
        try (Tab tab = look.open(browser)) {
          for (WallPage page : WallPage.values()) {
            page.open(tab, wall.address());
            // The last pictures come a moment after the first.
            tab.evaluate("new Promise((done) => setTimeout(done, 1200))");
            String name = "%s-%s.png".formatted(page, look).toLowerCase(Locale.ROOT);
            tab.screenshot(folder.resolve("pages").resolve(name));
          }
        }
      }
    }
  }
}

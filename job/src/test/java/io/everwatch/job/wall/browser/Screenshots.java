// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.wall.browser;

import java.nio.file.Path;
import java.util.Locale;

/**
 * Writes a picture of each page, in light, dark and at phone width, into the folder it is given.
 */
public final class Screenshots {
  private Screenshots() {}

  public static void main(String[] arguments) throws Exception {
    Path folder = Path.of(arguments[0]);
    try (FakeWall wall = FakeWall.start(0, 12, true);
        Chromium browser = Chromium.start()) {
      for (Look look : Look.values()) {
        try (Tab tab = look.open(browser)) {
          for (WallPage page : WallPage.values()) {
            page.open(tab, wall.address());
            // The last pictures come a moment after the first.
            tab.evaluate("new Promise(done => setTimeout(done, 1200))");
            String name = "%s-%s.png".formatted(page, look).toLowerCase(Locale.ROOT);
            tab.screenshot(folder.resolve(name));
          }
        }
      }
    }
  }
}

// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.wall.browser;

import java.nio.file.Path;
import java.util.List;

/** Writes a picture of each page in light, dark and at phone width into the folder that it is given. */
final class Screenshots {
  private Screenshots() {}

  private record Shot(String name, String path, String ready) {}

  private static final List<Shot> SHOTS =
      List.of(
          new Shot("wall", "/", "document.querySelectorAll('.tile img').length > 3"),
          new Shot("stream", "/streams/camera-1", "document.querySelector('.stage-frame img') && document.querySelectorAll('.thumb img').length > 3"),
          new Shot("memory", "/streams/camera-1/memory", "document.querySelector('.band')"),
          new Shot("job", "/job", "document.querySelector('.bar-fill')"),
          new Shot("clips", "/clips", "document.querySelector('.clip-list')"),
          new Shot("clip", "/clips/view/gate-morning.mp4", "document.querySelector('video')"),
          new Shot("help", "/help", "document.querySelector('kbd')"));

  public static void main(String[] arguments) throws Exception {
    Path folder = Path.of(arguments[0]);
    try (FakeWall wall = FakeWall.start(0, 12, true);
        Chromium browser = Chromium.start()) {
      for (String look : List.of("light", "dark", "phone")) {
        boolean phone = look.equals("phone");
        try (Tab tab = browser.open(phone ? 360 : 1280, phone ? 740 : 860)) {
          tab.dark(look.equals("dark"));
          for (Shot shot : SHOTS) {
            tab.go(wall.address() + shot.path());
            tab.await(shot.ready(), shot.name() + " shows");
            tab.await("new Promise(done => setTimeout(() => done(true), 1200))", "pictures have come");
            tab.screenshot(folder.resolve(shot.name() + "-" + look + ".png"));
            tab.complaints.forEach(complaint -> System.err.println(shot.name() + ": " + complaint));
            tab.complaints.clear();
          }
        }
      }
    }
  }
}

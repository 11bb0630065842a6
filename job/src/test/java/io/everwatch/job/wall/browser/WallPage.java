// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.wall.browser;

/** Each page of the wall: its address, and when it shows what it is for. */
enum WallPage {
  WALL("/", "document.querySelectorAll('.tile img').length > 2"),
  STREAM(
      "/streams/camera-1",
      "document.querySelector('.stage-frame img')"
          + " && document.querySelectorAll('.thumb img').length > 3"),
  MEMORY("/streams/camera-1/memory", "document.querySelector('.band')"),
  JOB("/job", "document.querySelector('.bar-fill')"),
  CLIPS("/clips", "document.querySelector('.clip-list')"),
  CLIP("/clips/view/gate-morning.mp4", "document.querySelector('video')"),
  HELP("/help", "document.querySelector('kbd')");

  final String path;
  private final String shown;

  WallPage(String path, String shown) {
    this.path = path;
    this.shown = shown;
  }

  /** Opens it and waits until it is whole: connected, and with what came first. */
  void open(Tab tab, String address) throws Exception {
    tab.go(address + path);
    tab.await(shown, this + " shows");
    tab.await("document.querySelector('#connection').dataset.status === 'live'", "is connected");
  }
}

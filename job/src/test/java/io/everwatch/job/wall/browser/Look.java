// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.wall.browser;

/** How a page is looked at. */
enum Look {
  LIGHT(1280, 860, false),
  DARK(1280, 860, true),
  PHONE(360, 740, false);

  final int width;
  final int height;
  final boolean dark;

  Look(int width, int height, boolean dark) {
    this.width = width;
    this.height = height;
    this.dark = dark;
  }

  Tab open(Chromium browser) throws Exception {
    return browser.open(width, height).dark(dark);
  }
}

// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.camera;

/** Frames per second as people give them. */
final class FrameRate {
  private FrameRate() {}

  static double require(double fps) {
    if (!(fps > 0 && fps <= 1000)) {
      throw new IllegalArgumentException(
          "%s frames per second; expected more than 0 and at most 1000".formatted(fps));
    }
    return fps;
  }
}

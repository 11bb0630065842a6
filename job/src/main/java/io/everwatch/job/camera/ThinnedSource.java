// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.camera;

import java.io.IOException;
import java.util.Optional;

/** A source with fewer frames: of each interval of {@code 1 / fps} seconds the first one. */
public final class ThinnedSource implements FrameSource {
  /** Capture times are whole microseconds; a frame this much early still counts as on time. */
  private static final long ROUNDING_MICROS = 1;

  private final FrameSource source;
  private final double fps;
  private long interval = -1;

  public ThinnedSource(FrameSource source, double fps) {
    this.source = source;
    this.fps = FrameRate.require(fps);
  }

  @Override
  public Optional<CameraFrame> next() throws IOException {
    while (true) {
      Optional<CameraFrame> frame = source.next();
      if (frame.isEmpty()) {
        return frame;
      }
      long at = (long) Math.floor((frame.get().offsetMicros() + ROUNDING_MICROS) * fps / 1e6);
      if (at > interval) {
        interval = at;
        return frame;
      }
    }
  }

  @Override
  public void close() throws IOException {
    source.close();
  }
}

// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.camera;

import java.io.IOException;
import java.util.Optional;

/** A source with fewer frames: of each interval of {@code 1 / fps} seconds the first one. */
public final class ThinnedSource implements FrameSource {
  private final FrameSource source;
  private final Thinning thinning;

  public ThinnedSource(FrameSource source, double fps) {
    this.source = source;
    this.thinning = Thinning.exact(fps);
  }

  @Override
  public Optional<CameraFrame> next() throws IOException {
    while (true) {
      Optional<CameraFrame> frame = source.next();
      if (frame.isEmpty() || thinning.takes(frame.get().offsetMicros())) {
        return frame;
      }
    }
  }

  @Override
  public void close() throws IOException {
    source.close();
  }
}

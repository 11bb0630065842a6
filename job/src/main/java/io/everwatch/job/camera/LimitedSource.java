// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.camera;

import java.io.IOException;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/** A source that ends after a time of its own clock. */
public final class LimitedSource implements FrameSource {
  private final FrameSource source;
  private final long endMicros;

  public LimitedSource(FrameSource source, Duration length) {
    this.source = source;
    this.endMicros = TimeUnit.NANOSECONDS.toMicros(length.toNanos());
  }

  @Override
  public Optional<CameraFrame> next() throws IOException {
    return source.next().filter(frame -> frame.offsetMicros() < endMicros);
  }

  @Override
  public void close() throws IOException {
    source.close();
  }
}

// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.benchmark;

import io.everwatch.job.camera.CameraFrame;
import io.everwatch.job.camera.FrameSource;
import java.io.IOException;
import java.util.Optional;

/** The frames of a clip, their times counted from its beginning. */
final class ClipFrames implements FrameSource {
  /** How the video compares with the clip that is to be taken from it. */
  enum Length {
    LONGER,
    AS_LONG,
    SHORTER
  }

  private static final long MICROS = 1_000_000;

  private final FrameSource video;
  private final long fromMicros;
  private final long toMicros;
  private long lastMicros;
  private boolean passedEnd;

  ClipFrames(FrameSource video, double from, double to) {
    this.video = video;
    fromMicros = Math.round(from * MICROS);
    toMicros = Math.round(to * MICROS);
  }

  @Override
  public Optional<CameraFrame> next() throws IOException {
    while (!passedEnd) {
      Optional<CameraFrame> frame = video.next();
      if (frame.isEmpty()) {
        return frame;
      }
      lastMicros = frame.get().offsetMicros();
      passedEnd = lastMicros >= toMicros;
      if (lastMicros >= fromMicros && !passedEnd) {
        return Optional.of(new CameraFrame(lastMicros - fromMicros, frame.get().picture()));
      }
    }
    return Optional.empty();
  }

  /** Known when all frames were taken; a second's difference says nothing. */
  Length length() {
    if (passedEnd) {
      return lastMicros < toMicros + MICROS && videoEnds() ? Length.AS_LONG : Length.LONGER;
    }
    return lastMicros < toMicros - MICROS ? Length.SHORTER : Length.AS_LONG;
  }

  private boolean videoEnds() {
    try {
      for (long end = toMicros + MICROS; lastMicros < end; ) {
        Optional<CameraFrame> frame = video.next();
        if (frame.isEmpty()) {
          return true;
        }
        lastMicros = frame.get().offsetMicros();
      }
      return false;
    } catch (IOException e) {
      return true; // behind the clip, whose frames were all there
    }
  }

  @Override
  public void close() throws IOException {
    video.close();
  }
}

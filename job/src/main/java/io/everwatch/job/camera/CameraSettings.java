// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.camera;

import io.everwatch.operators.model.EncodedFrame.Encoding;
import java.io.IOException;
import java.time.Duration;
import java.util.Optional;
import java.util.OptionalDouble;

/**
 * One camera, as somebody wants it.
 *
 * @param input a file, folder or scene; of a live camera its address without credentials
 * @param address of a live camera; empty = {@code input} is played
 * @param fps at most so many frames a second; of a folder its rate
 * @param encoding empty = PNG for scenes, JPEG for the rest
 * @param duration ends after so much of its time
 */
public record CameraSettings(
    String stream,
    String input,
    Optional<CameraAddress> address,
    OptionalDouble fps,
    Optional<Encoding> encoding,
    PictureOptions pictures,
    LiveOptions live,
    Optional<Duration> duration) {
  /** Frames a second of a live camera unless the settings say otherwise: what models look at. */
  public static final double LIVE_FPS = 2;

  /** Rate of a folder unless the settings say otherwise. */
  static final double FOLDER_FPS = 2;

  /**
   * Opens what is played.
   *
   * @throws IOException when it is missing or cannot be read
   * @throws IllegalArgumentException when an option does not fit it
   */
  FrameSource openPlayed() throws IOException {
    FrameSource source = new CameraInput(input, fps, encoding, FOLDER_FPS).open(pictures);
    return duration.isPresent() ? new LimitedSource(source, duration.get()) : source;
  }
}

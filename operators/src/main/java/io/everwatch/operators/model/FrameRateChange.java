// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.model;

/**
 * Another frame rate for a stream that goes on. An odd number of frames is no mistake: the last one
 * is shown twice, as the model's temporal patches of two want it.
 */
public final class FrameRateChange {
  /** As in {@code streaming.json}. */
  public static final String KEY = SettingKey.FPS.name();

  /** Frames of one clip at most, as the published frame package has it (StreamingVLM §2). */
  private static final int MAX_FRAMES = 480;

  private FrameRateChange() {}

  /**
   * Grid points of a chunk.
   *
   * @param written frames per second
   * @throws BadModelException when it is no frame rate, or gives a chunk no whole number of frames
   */
  public static int framesPerChunk(String written, long chunkMicros) {
    double fps =
        SettingKey.FPS
            .type()
            .parse(written)
            .orElseThrow(
                () ->
                    new BadModelException(
                        "%s is \"%s\", expected %s"
                            .formatted(KEY, written, SettingKey.FPS.type().expected())));
    double frames = frames(fps, chunkMicros);
    if (!fits(frames)) {
      throw new BadModelException(
          "%s %s gives %s frames per chunk of %s, expected %s"
              .formatted(KEY, written, frames, SettingType.durationText(chunkMicros), expected()));
    }
    return (int) Math.rint(frames);
  }

  static double frames(double fps, long chunkMicros) {
    return fps * chunkMicros / 1e6;
  }

  static boolean fits(double frames) {
    return Math.abs(frames - Math.rint(frames)) <= 1e-9 && frames >= 1 && frames <= MAX_FRAMES;
  }

  static String expected() {
    return "a whole number from 1 to " + MAX_FRAMES;
  }
}

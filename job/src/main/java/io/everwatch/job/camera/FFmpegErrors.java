// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.camera;

import static org.bytedeco.ffmpeg.global.avutil.av_strerror;

import java.io.IOException;
import java.nio.charset.StandardCharsets;

/** FFmpeg's error codes in words. */
final class FFmpegErrors {
  private static final int REASON_BYTES = 256;

  private FFmpegErrors() {}

  /**
   * Returns what FFmpeg returned.
   *
   * @throws IOException in three parts when that is an error
   */
  static int require(int code, String what, String hint) throws IOException {
    if (code < 0) {
      throw new IOException("%s (%s); %s".formatted(what, reason(code), hint));
    }
    return code;
  }

  static String reason(int code) {
    byte[] text = new byte[REASON_BYTES];
    av_strerror(code, text, text.length);
    int end = 0;
    while (end < text.length && text[end] != 0) {
      end++;
    }
    return new String(text, 0, end, StandardCharsets.UTF_8);
  }
}

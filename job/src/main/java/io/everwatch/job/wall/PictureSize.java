// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.wall;

import io.everwatch.schemas.avro.FrameEncoding;
import io.everwatch.schemas.avro.FrameEvent;

/**
 * Width and height of a picture by its head alone: thousands a second pass by and few are decoded.
 *
 * @param width pixels; 0 = cannot be told
 */
record PictureSize(int width, int height) {
  private static final PictureSize UNKNOWN = new PictureSize(0, 0);
  private static final int PNG_HEAD = 24;

  /** As the record says, else as the picture says. */
  static PictureSize of(FrameEvent frame, byte[] bytes) {
    if (frame.getWidth() > 0 && frame.getHeight() > 0) {
      return new PictureSize(frame.getWidth(), frame.getHeight());
    }
    return frame.getEncoding() == FrameEncoding.PNG ? png(bytes) : jpeg(bytes);
  }

  private static PictureSize png(byte[] bytes) {
    return bytes.length < PNG_HEAD
        ? UNKNOWN
        : new PictureSize(
            Math.max(0, (u16(bytes, 16) << 16) | u16(bytes, 18)),
            Math.max(0, (u16(bytes, 20) << 16) | u16(bytes, 22)));
  }

  /** ITU-T T.81, B.1.1: segments until the frame header (SOF). */
  private static PictureSize jpeg(byte[] bytes) {
    int at = 2;
    while (at + 9 < bytes.length && (bytes[at] & 0xff) == 0xff) {
      int marker = bytes[at + 1] & 0xff;
      boolean frameHeader =
          marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc;
      if (frameHeader) {
        return new PictureSize(u16(bytes, at + 7), u16(bytes, at + 5));
      }
      at += marker == 0xff ? 1 : 2 + u16(bytes, at + 2);
    }
    return UNKNOWN;
  }

  private static int u16(byte[] bytes, int at) {
    return (bytes[at] & 0xff) << 8 | (bytes[at + 1] & 0xff);
  }
}

// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.model;

/**
 * What a picture may ask of the decoder. Checked on the picture's own headers before anything is
 * decoded, so that a small record cannot claim gigabytes or minutes.
 *
 * @param maxSide pixels
 * @param maxPixels width times height
 * @param maxScans scans of a JPEG; a progressive one from a usual encoder has about ten, each costs
 *     a pass over the whole picture
 * @param maxChunks chunks of a PNG, or marker segments of a JPEG
 */
public record FrameLimits(int maxSide, long maxPixels, int maxScans, int maxChunks) {
  public FrameLimits {
    if (maxSide < 1 || maxPixels < 1 || maxScans < 1 || maxChunks < 3) {
      throw new IllegalArgumentException(
          "frame limits: side %d, pixels %d, scans %d, chunks %d; all must be positive (chunks 3)"
              .formatted(maxSide, maxPixels, maxScans, maxChunks));
    }
  }

  /** 8192 pixels a side, 33 megapixels, 16 scans, 65536 chunks. */
  public static FrameLimits defaults() {
    return new FrameLimits(8192, 33_000_000, 16, 65_536);
  }

  /** Checks what a header says against these limits and what the producer said. */
  void check(EncodedFrame frame, int width, int height) throws BadFrameException {
    if (width < 1
        || height < 1
        || width > maxSide
        || height > maxSide
        || (long) width * height > maxPixels) {
      throw new BadFrameException(
          BadFrameException.Reason.DIMENSIONS,
          "the %s header says %dx%d pixels; expected 1 to %d a side and at most %d in all; "
                  .formatted(frame.encoding(), width, height, maxSide, maxPixels)
              + "send smaller frames or raise the frame limits");
    }
    if ((frame.width() != 0 && frame.width() != width)
        || (frame.height() != 0 && frame.height() != height)) {
      throw new BadFrameException(
          BadFrameException.Reason.DIMENSIONS,
          "the %s header says %dx%d pixels, the record says %dx%d; "
                  .formatted(frame.encoding(), width, height, frame.width(), frame.height())
              + "they must agree (0 = not said); correct the producer");
    }
  }
}

// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.model;

import io.everwatch.operators.model.BadFrameException.Reason;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.zip.CRC32;

/**
 * Walks the chunks of a PNG (ISO/IEC 15948) without decoding it: bounds dimensions and chunks,
 * checks checksums, finds truncation, and copies the chunks that make up the pixels, so that
 * compressed text, profiles and gamma never reach the decoder.
 */
final class PngScan {
  private static final byte[] MAGIC = {(byte) 0x89, 'P', 'N', 'G', '\r', '\n', 0x1A, '\n'};
  private static final int IHDR = 0x49484452;
  private static final int PLTE = 0x504C5445;
  private static final int IDAT = 0x49444154;
  private static final int IEND = 0x49454E44;

  /** Set in the type of a chunk that a decoder may skip. */
  private static final int ANCILLARY = 0x20000000;

  /** Deflate cannot do better: one bit each for a length of 258 and its distance. */
  private static final long MAX_COMPRESSION = 1032;

  private final EncodedFrame frame;
  private final FrameLimits limits;
  private final ByteBuffer in;
  private final ByteArrayOutputStream picture;
  private int width;
  private int height;

  private PngScan(EncodedFrame frame, FrameLimits limits) {
    this.frame = frame;
    this.limits = limits;
    this.in = ByteBuffer.wrap(frame.bytes());
    this.picture = new ByteArrayOutputStream(frame.bytes().length);
  }

  static CheckedPicture check(EncodedFrame frame, FrameLimits limits) throws BadFrameException {
    return new PngScan(frame, limits).walk();
  }

  /** The beginning of an unknown format, for a message. */
  static String firstBytes(byte[] bytes) {
    return HexFormat.ofDelimiter(" ").formatHex(bytes, 0, Math.min(8, bytes.length));
  }

  private CheckedPicture walk() throws BadFrameException {
    byte[] bytes = frame.bytes();
    if (bytes.length < MAGIC.length
        || !Arrays.equals(MAGIC, 0, MAGIC.length, bytes, 0, MAGIC.length)) {
      throw new BadFrameException(
          Reason.WRONG_MAGIC,
          "the frame begins with %s; expected a PNG: %s; check the encoding field of the producer"
              .formatted(firstBytes(bytes), firstBytes(MAGIC)));
    }
    in.position(MAGIC.length);
    picture.write(MAGIC, 0, MAGIC.length);
    for (int chunks = 0; chunk(chunks == 0); chunks++) {
      if (chunks > limits.maxChunks()) {
        throw bad(Reason.TOO_COMPLEX, "more than %d chunks".formatted(limits.maxChunks()));
      }
    }
    return new CheckedPicture("PNG", picture.toByteArray(), width, height);
  }

  /** Reads one chunk; false after the last. */
  private boolean chunk(boolean first) throws BadFrameException {
    if (in.remaining() < 12) {
      throw bad(Reason.TRUNCATED, "no end chunk after %d bytes".formatted(in.capacity()));
    }
    int start = in.position();
    int length = in.getInt();
    int type = in.getInt();
    if (length < 0) {
      throw bad(Reason.CORRUPT, "a chunk of %s bytes".formatted(Integer.toUnsignedString(length)));
    }
    if (length > in.remaining() - 4) {
      throw bad(
          Reason.TRUNCATED,
          "a chunk of %d bytes at byte %d of %d".formatted(length, start, in.capacity()));
    }
    CRC32 crc = new CRC32();
    crc.update(frame.bytes(), start + 4, length + 4);
    if (in.getInt(start + 8 + length) != (int) crc.getValue()) {
      throw bad(Reason.CORRUPT, "a wrong checksum in the chunk at byte %d".formatted(start));
    }
    if (first != (type == IHDR)) {
      throw bad(Reason.CORRUPT, "its header chunk not in the first place only");
    }
    if (first) {
      header(in.slice(start + 8, length));
    }
    if (type == IHDR || type == PLTE || type == IDAT || type == IEND) {
      picture.write(frame.bytes(), start, length + 12);
    } else if ((type & ANCILLARY) == 0) {
      throw bad(Reason.CORRUPT, "an unknown critical chunk at byte %d".formatted(start));
    }
    in.position(start + 12 + length);
    return type != IEND;
  }

  private void header(ByteBuffer data) throws BadFrameException {
    if (data.remaining() != 13) {
      throw bad(Reason.CORRUPT, "a header of %d bytes".formatted(data.remaining()));
    }
    width = data.getInt();
    height = data.getInt();
    limits.check(frame, width, height);
    int depth = data.get();
    int colour = data.get();
    if (data.get(12) != 0) {
      throw bad(Reason.TOO_COMPLEX, "interlaced rows");
    }
    int samples = colour == 2 ? 3 : colour == 6 ? 4 : colour == 4 ? 2 : 1;
    long size = ((long) width * samples * Math.max(1, depth) / 8 + 1) * height;
    if (size > MAX_COMPRESSION * in.capacity()) {
      throw bad(
          Reason.TRUNCATED, "%d bytes for %dx%d pixels".formatted(in.capacity(), width, height));
    }
  }

  private static BadFrameException bad(Reason reason, String what) {
    return new BadFrameException(
        reason,
        "the PNG has "
            + what
            + "; expected a whole picture that is not interlaced; check the encoder and the way to"
            + " the topic");
  }
}

// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.model;

import io.everwatch.operators.model.BadFrameException.Reason;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.zip.CRC32;
import java.util.zip.DataFormatException;
import java.util.zip.Inflater;

/**
 * Decodes a PNG (ISO/IEC 15948): all colour types and bit depths, not interlaced. 16-bit samples
 * keep their high byte. Only the chunks that make up the pixels are looked at; compressed text and
 * profiles are never inflated, and the picture is inflated row by row into what its header
 * announced, so nothing can grow beyond {@link FrameLimits}.
 */
final class PngReader {
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
  private final Inflater inflater = new Inflater();
  private int width;
  private int height;
  private int depth;
  private int samples;
  private byte[] palette = new byte[0];
  private boolean indexed;
  private byte[] pixels = new byte[0];

  private byte[] row = new byte[0];
  private byte[] above = new byte[0];
  private int filled;
  private int rowsDone;

  private PngReader(EncodedFrame frame, FrameLimits limits) {
    this.frame = frame;
    this.limits = limits;
    this.in = ByteBuffer.wrap(frame.bytes());
  }

  static RgbImage read(EncodedFrame frame, FrameLimits limits) throws BadFrameException {
    PngReader reader = new PngReader(frame, limits);
    try {
      return reader.decode();
    } finally {
      reader.inflater.end();
    }
  }

  /** The beginning of an unknown format, for a message. */
  static String firstBytes(byte[] bytes) {
    return HexFormat.ofDelimiter(" ").formatHex(bytes, 0, Math.min(8, bytes.length));
  }

  private RgbImage decode() throws BadFrameException {
    byte[] bytes = frame.bytes();
    if (bytes.length < MAGIC.length
        || !Arrays.equals(MAGIC, 0, MAGIC.length, bytes, 0, MAGIC.length)) {
      throw new BadFrameException(
          Reason.WRONG_MAGIC,
          "the frame begins with %s; expected a PNG: %s; check the encoding field of the producer"
              .formatted(firstBytes(bytes), firstBytes(MAGIC)));
    }
    in.position(MAGIC.length);
    for (int chunks = 0; chunk(chunks == 0); chunks++) {
      if (chunks > limits.maxChunks()) {
        throw bad(Reason.TOO_COMPLEX, "more than %d chunks".formatted(limits.maxChunks()));
      }
    }
    if (rowsDone < height) {
      throw bad(Reason.TRUNCATED, "only %d of %d rows".formatted(rowsDone, height));
    }
    if (!inflater.finished()) { // the checksum of the pixels stands behind them
      throw bad(Reason.TRUNCATED, "no end of its compressed data");
    }
    return new RgbImage(width, height, pixels);
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
    ByteBuffer data = in.slice(start + 8, length);
    in.position(start + 12 + length);
    switch (type) {
      case IHDR -> header(data);
      case PLTE -> readPalette(data);
      case IDAT -> inflate(start + 8, length);
      case IEND -> {
        return false;
      }
      default -> {
        if ((type & ANCILLARY) == 0) {
          throw bad(Reason.CORRUPT, "an unknown critical chunk at byte %d".formatted(start));
        }
      }
    }
    return true;
  }

  private void header(ByteBuffer data) throws BadFrameException {
    if (data.remaining() != 13) {
      throw bad(Reason.CORRUPT, "a header of %d bytes".formatted(data.remaining()));
    }
    width = data.getInt();
    height = data.getInt();
    limits.check(frame, width, height);
    depth = data.get();
    int colour = data.get();
    int compression = data.get();
    int filter = data.get();
    int interlace = data.get();
    String depths =
        switch (colour) {
          case 0 -> "1 2 4 8 16";
          case 3 -> "1 2 4 8";
          case 2, 4, 6 -> "8 16";
          default -> "";
        };
    if (!Arrays.asList(depths.split(" ")).contains(Integer.toString(depth))
        || compression != 0
        || filter != 0) {
      throw bad(
          Reason.CORRUPT,
          "colour type %d with %d bits, compression %d, filter %d"
              .formatted(colour, depth, compression, filter));
    }
    if (interlace != 0) {
      throw bad(Reason.TOO_COMPLEX, "interlaced rows");
    }
    indexed = colour == 3;
    samples = colour == 2 ? 3 : colour == 6 ? 4 : colour == 4 ? 2 : 1;
    int rowBytes = (int) (((long) width * samples * depth + 7) / 8);
    if ((1L + rowBytes) * height > MAX_COMPRESSION * in.capacity()) {
      throw bad(
          Reason.TRUNCATED, "%d bytes for %dx%d pixels".formatted(in.capacity(), width, height));
    }
    pixels = new byte[3 * width * height];
    row = new byte[1 + rowBytes];
    above = new byte[1 + rowBytes];
  }

  private void readPalette(ByteBuffer data) throws BadFrameException {
    if (data.remaining() == 0 || data.remaining() % 3 != 0 || data.remaining() > 768) {
      throw bad(Reason.CORRUPT, "a palette of %d bytes".formatted(data.remaining()));
    }
    palette = new byte[data.remaining()];
    data.get(palette);
  }

  private void inflate(int from, int length) throws BadFrameException {
    if (indexed && palette.length == 0) {
      throw bad(Reason.CORRUPT, "palette colours but no palette");
    }
    inflater.setInput(frame.bytes(), from, length);
    try {
      while (rowsDone < height) {
        int n = inflater.inflate(row, filled, row.length - filled);
        if (n == 0) {
          return; // needs the next chunk, or ended too early: seen at the end
        }
        filled += n;
        if (filled == row.length) {
          finishRow();
        }
      }
      drain();
    } catch (DataFormatException e) {
      BadFrameException bad =
          bad(
              Reason.CORRUPT,
              "damaged compressed data (%s)".formatted(String.valueOf(e.getMessage())));
      bad.initCause(e);
      throw bad;
    }
  }

  /** Reads on to the checksum; more than a row of further pixels is not a picture of this size. */
  private void drain() throws DataFormatException, BadFrameException {
    if (!inflater.finished() && inflater.inflate(above) > 0) {
      throw bad(Reason.CORRUPT, "more pixels than its header says");
    }
  }

  private void finishRow() throws BadFrameException {
    unfilter();
    int to = 3 * width * rowsDone;
    int max = (1 << Math.min(depth, 8)) - 1;
    for (int x = 0; x < width; x++, to += 3) {
      if (indexed) {
        int entry = 3 * sample(x);
        if (entry >= palette.length) {
          throw bad(
              Reason.CORRUPT,
              "colour %d of a palette of %d".formatted(entry / 3, palette.length / 3));
        }
        System.arraycopy(palette, entry, pixels, to, 3);
      } else if (samples >= 3) {
        pixels[to] = (byte) sample(samples * x);
        pixels[to + 1] = (byte) sample(samples * x + 1);
        pixels[to + 2] = (byte) sample(samples * x + 2);
      } else {
        byte grey = (byte) (sample(samples * x) * 255 / max);
        pixels[to] = grey;
        pixels[to + 1] = grey;
        pixels[to + 2] = grey;
      }
    }
    byte[] free = above;
    above = row;
    row = free;
    filled = 0;
    rowsDone++;
  }

  /** Sample {@code index} of the row, of 16 bits the high 8. */
  private int sample(int index) {
    if (depth == 8) {
      return row[1 + index] & 0xFF;
    }
    if (depth == 16) {
      return row[1 + 2 * index] & 0xFF;
    }
    int bit = index * depth;
    return (row[1 + bit / 8] >> (8 - depth - bit % 8)) & ((1 << depth) - 1);
  }

  /** Undoes the row's filter (section 9); byte 0 names it, before the first row lie zeros. */
  private void unfilter() throws BadFrameException {
    int back = Math.max(1, samples * depth / 8);
    int filter = row[0];
    if (filter < 0 || filter > 4) {
      throw bad(Reason.CORRUPT, "filter %d in row %d".formatted(filter, rowsDone));
    }
    row[0] = 0;
    above[0] = 0;
    for (int i = 1; i < row.length; i++) {
      int left = i > back ? row[i - back] & 0xFF : 0;
      int up = above[i] & 0xFF;
      int corner = i > back ? above[i - back] & 0xFF : 0;
      row[i] +=
          (byte)
              switch (filter) {
                case 1 -> left;
                case 2 -> up;
                case 3 -> (left + up) / 2;
                case 4 -> paeth(left, up, corner);
                default -> 0;
              };
    }
  }

  private static int paeth(int left, int up, int corner) {
    int estimate = left + up - corner;
    int toLeft = Math.abs(estimate - left);
    int toUp = Math.abs(estimate - up);
    int toCorner = Math.abs(estimate - corner);
    return toLeft <= toUp && toLeft <= toCorner ? left : toUp <= toCorner ? up : corner;
  }

  private BadFrameException bad(Reason reason, String what) {
    return new BadFrameException(
        reason,
        "the PNG has "
            + what
            + "; expected a whole picture that is not interlaced; check the encoder and the way to"
            + " the topic");
  }
}

// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.model;

import io.everwatch.operators.model.BadFrameException.Reason;
import java.io.ByteArrayOutputStream;

/**
 * Walks the marker segments of a JPEG (ITU-T T.81, annex B) without decoding it: bounds dimensions,
 * components and scans, finds truncation, and writes a copy without any metadata, so that the
 * decoder sees nothing but the picture and one statement about its colours.
 */
final class JpegScan {
  private static final int SOI = 0xD8;
  private static final int EOI = 0xD9;
  private static final int SOS = 0xDA;
  private static final int COM = 0xFE;
  private static final int APP0 = 0xE0;
  private static final int APP14 = 0xEE;
  private static final int APP15 = 0xEF;

  /** JFIF 1.01, no density, no thumbnail: says "YCbCr or grey". */
  private static final byte[] JFIF = {
    (byte) 0xFF, (byte) APP0, 0, 16, 'J', 'F', 'I', 'F', 0, 1, 1, 0, 0, 1, 0, 1, 0, 0
  };

  /** Adobe marker with transform 0: says "RGB". */
  private static final byte[] ADOBE_RGB = {
    (byte) 0xFF, (byte) APP14, 0, 14, 'A', 'd', 'o', 'b', 'e', 0, 100, 0, 0, 0, 0, 0
  };

  private final EncodedFrame frame;
  private final byte[] bytes;
  private final FrameLimits limits;
  private final ByteArrayOutputStream picture;
  private int at;
  private int scans;
  private int components;
  private int width;
  private int height;
  private int adobeTransform = -1;
  private boolean jfif;
  private boolean lettersRgb;

  private JpegScan(EncodedFrame frame, FrameLimits limits) {
    this.frame = frame;
    this.bytes = frame.bytes();
    this.limits = limits;
    this.picture = new ByteArrayOutputStream(bytes.length + JFIF.length);
  }

  static CheckedPicture check(EncodedFrame frame, FrameLimits limits) throws BadFrameException {
    return new JpegScan(frame, limits).walk();
  }

  private CheckedPicture walk() throws BadFrameException {
    if (bytes.length < 2 || (bytes[0] & 0xFF) != 0xFF || (bytes[1] & 0xFF) != SOI) {
      throw new BadFrameException(
          Reason.WRONG_MAGIC,
          "the frame begins with %s; expected a JPEG: ff d8; check the encoding field of the producer"
              .formatted(PngScan.firstBytes(bytes)));
    }
    at = 2;
    for (int segments = 0; ; segments++) {
      if (segments > limits.maxChunks()) {
        throw bad(Reason.TOO_COMPLEX, "more than %d marker segments".formatted(limits.maxChunks()));
      }
      int marker = marker();
      if (marker == EOI) {
        break;
      }
      segment(marker);
    }
    if (scans == 0) {
      throw bad(Reason.CORRUPT, "no picture data before the end marker");
    }
    picture.write(0xFF);
    picture.write(EOI);
    return new CheckedPicture("JPEG", withColours(), width, height);
  }

  /** The next marker code; any number of fill bytes may stand before it. */
  private int marker() throws BadFrameException {
    if (byteAt(at) != 0xFF) {
      throw bad(Reason.CORRUPT, "no marker but %02x at byte %d".formatted(byteAt(at), at));
    }
    while (byteAt(at) == 0xFF) {
      at++;
    }
    return byteAt(at++);
  }

  private void segment(int marker) throws BadFrameException {
    if (marker == 0 || marker == 1 || (marker >= 0xD0 && marker <= SOI)) {
      throw bad(
          Reason.CORRUPT, "marker %02x outside of a scan at byte %d".formatted(marker, at - 2));
    }
    int start = at;
    int length = word(at);
    if (length < 2) {
      throw bad(
          Reason.CORRUPT, "segment %02x of length %d at byte %d".formatted(marker, length, start));
    }
    if ((long) start + length > bytes.length) {
      throw truncated();
    }
    at = start + length;
    if (marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xC8 && marker != 0xCC) {
      frameHeader(marker, start + 2, length - 2);
    }
    if (marker >= APP0 && marker <= APP15) {
      application(marker, start + 2, length - 2);
    } else if (marker != COM) {
      picture.write(0xFF);
      picture.write(marker);
      picture.write(bytes, start, length);
    }
    if (marker == SOS) {
      scan();
    }
  }

  private void frameHeader(int marker, int from, int length) throws BadFrameException {
    if (components != 0) {
      throw bad(Reason.CORRUPT, "a second frame header at byte %d".formatted(from));
    }
    if (marker > 0xC2) {
      throw bad(
          Reason.TOO_COMPLEX,
          "process SOF%d (lossless, hierarchical or arithmetic)".formatted(marker - 0xC0));
    }
    if (length < 6) {
      throw bad(Reason.CORRUPT, "a frame header of %d bytes".formatted(length));
    }
    height = word(from + 1);
    width = word(from + 3);
    limits.check(frame, width, height);
    if (byteAt(from) != 8) {
      throw bad(Reason.TOO_COMPLEX, "%d bits a sample".formatted(byteAt(from)));
    }
    components = byteAt(from + 5);
    if (components != 1 && components != 3) {
      throw bad(Reason.TOO_COMPLEX, "%d colour components".formatted(components));
    }
    if (length != 6 + 3 * components) {
      throw bad(
          Reason.CORRUPT,
          "a frame header of %d bytes for %d colours".formatted(length, components));
    }
    lettersRgb =
        components == 3
            && byteAt(from + 6) == 'R'
            && byteAt(from + 9) == 'G'
            && byteAt(from + 12) == 'B';
  }

  private void application(int marker, int from, int length) {
    if (marker == APP0 && startsWith(from, length, "JFIF\0")) {
      jfif = true;
    } else if (marker == APP14 && length >= 12 && startsWith(from, length, "Adobe")) {
      adobeTransform = bytes[from + 11] & 0xFF;
    }
  }

  private boolean startsWith(int from, int length, String text) {
    for (int i = 0; i < text.length(); i++) {
      if (i >= length || bytes[from + i] != text.charAt(i)) {
        return false;
      }
    }
    return true;
  }

  /** Copies entropy-coded data up to the next marker that is not part of it. */
  private void scan() throws BadFrameException {
    if (components == 0) {
      throw bad(Reason.CORRUPT, "a scan before the frame header");
    }
    if (++scans > limits.maxScans()) {
      throw bad(Reason.TOO_COMPLEX, "more than %d scans".formatted(limits.maxScans()));
    }
    int start = at;
    while (at + 1 < bytes.length) {
      if (bytes[at] != (byte) 0xFF) {
        at++;
        continue;
      }
      int next = bytes[at + 1] & 0xFF;
      if (next == 0xFF) { // a fill byte
        at++;
      } else if (next == 0 || (next >= 0xD0 && next <= 0xD7)) { // a stuffed ff, or a restart
        at += 2;
      } else {
        picture.write(bytes, start, at - start);
        return;
      }
    }
    throw truncated();
  }

  /** The colour rule of the reference decoder: JFIF, else Adobe's word, else component names. */
  private byte[] withColours() {
    boolean rgb =
        components == 3 && !jfif && (adobeTransform < 0 ? lettersRgb : adobeTransform == 0);
    byte[] colours = rgb ? ADOBE_RGB : JFIF;
    byte[] rest = picture.toByteArray();
    byte[] all = new byte[2 + colours.length + rest.length];
    all[0] = (byte) 0xFF;
    all[1] = (byte) SOI;
    System.arraycopy(colours, 0, all, 2, colours.length);
    System.arraycopy(rest, 0, all, 2 + colours.length, rest.length);
    return all;
  }

  private int byteAt(int index) throws BadFrameException {
    if (index >= bytes.length) {
      throw truncated();
    }
    return bytes[index] & 0xFF;
  }

  private int word(int index) throws BadFrameException {
    return byteAt(index) << 8 | byteAt(index + 1);
  }

  private BadFrameException truncated() {
    return new BadFrameException(
        Reason.TRUNCATED,
        "the JPEG ends after %d bytes without its end marker ff d9; expected a whole picture; "
                .formatted(bytes.length)
            + "check size limits between camera and topic");
  }

  private BadFrameException bad(Reason reason, String what) {
    return new BadFrameException(
        reason,
        "the JPEG has "
            + what
            + "; expected a baseline or progressive picture, 8 bits, grey or three colours, "
            + "at most %d scans; check the camera's encoder".formatted(limits.maxScans()));
  }
}

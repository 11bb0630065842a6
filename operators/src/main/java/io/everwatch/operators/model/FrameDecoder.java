// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.model;

import io.everwatch.operators.model.BadFrameException.Reason;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/**
 * From the bytes of a frame to pixels. A picture's own headers are read and bounded before anything
 * is decoded ({@link FrameLimits}); whatever is wrong with it is a {@link BadFrameException} and
 * never an error of the process. Grey is replicated, alpha is dropped, colour profiles, gamma and
 * EXIF orientation are ignored: the same bytes give the same pixels whatever metadata they carry.
 *
 * <p>Thread-safe; one instance serves all workers.
 */
public final class FrameDecoder {
  private static final String PROBE = "decode-probe.jpg";

  private final FrameLimits limits;
  private final PlatformReader jpeg = PlatformReader.ofJpeg();
  private final PlatformReader png = PlatformReader.ofPng();

  public FrameDecoder(FrameLimits limits) {
    this.limits = limits;
  }

  /**
   * Decodes one frame.
   *
   * @return for RGB24 a view of the frame's own bytes, else a new picture
   */
  public RgbImage decode(EncodedFrame frame) throws BadFrameException {
    if (frame.bytes().length == 0) {
      throw new BadFrameException(
          Reason.EMPTY,
          "the frame has no bytes; expected a %s picture; check the producer"
              .formatted(frame.encoding()));
    }
    return switch (frame.encoding()) {
      case JPEG -> jpeg.read(JpegScan.check(frame, limits));
      case PNG -> png.read(PngScan.check(frame, limits));
      case RGB24 -> raw(frame);
    };
  }

  private RgbImage raw(EncodedFrame frame) throws BadFrameException {
    limits.check(frame, frame.width(), frame.height());
    long expected = 3L * frame.width() * frame.height();
    if (frame.bytes().length != expected) {
      throw new BadFrameException(
          frame.bytes().length < expected ? Reason.TRUNCATED : Reason.CORRUPT,
          "an RGB24 frame of %dx%d pixels came with %d bytes; expected width * height * 3 = %d;"
                  .formatted(frame.width(), frame.height(), frame.bytes().length, expected)
              + " check width, height and row padding at the producer");
    }
    return new RgbImage(frame.width(), frame.height(), frame.bytes());
  }

  /**
   * SHA-256 of the pixels of a built-in JPEG as this machine decodes it: part of the numerics
   * identity, because decoders of other Java builds may round otherwise.
   *
   * @return hex, 64 characters
   */
  public String digest() {
    try (InputStream in = FrameDecoder.class.getResourceAsStream(PROBE)) {
      if (in == null) {
        throw new IllegalStateException(
            "resource " + PROBE + " is not on the class path; is the runtime jar complete?");
      }
      RgbImage image =
          decode(new EncodedFrame(EncodedFrame.Encoding.JPEG, 0, 0, in.readAllBytes()));
      MessageDigest sha = MessageDigest.getInstance("SHA-256");
      sha.update(ByteBuffer.allocate(8).putInt(image.width()).putInt(image.height()).array());
      return HexFormat.of().formatHex(sha.digest(image.pixels()));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (BadFrameException | NoSuchAlgorithmException e) {
      throw new IllegalStateException("the built-in test picture cannot be decoded", e);
    }
  }
}

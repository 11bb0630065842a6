// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.model;

import io.everwatch.operators.model.BadFrameException.Reason;
import java.awt.image.BufferedImage;
import java.awt.image.ComponentSampleModel;
import java.awt.image.DataBufferByte;
import java.awt.image.IndexColorModel;
import java.awt.image.Raster;
import java.io.EOFException;
import java.io.IOException;
import java.util.Iterator;
import java.util.Locale;
import javax.imageio.ImageReader;
import javax.imageio.spi.IIORegistry;
import javax.imageio.spi.ImageReaderSpi;
import javax.imageio.stream.ImageInputStreamImpl;
import org.jspecify.annotations.Nullable;

/**
 * Decodes a checked picture with the Java platform's own reader. Other readers that a class path
 * may bring along are passed over: pixels must not depend on what else is deployed. Where the
 * platform fills what is missing in a JPEG with grey it only warns; here a warning makes the
 * picture unusable.
 */
final class PlatformReader {
  private final ImageReaderSpi provider;

  private PlatformReader(String name) {
    provider = platformProvider(name);
  }

  static PlatformReader ofJpeg() {
    return new PlatformReader("com.sun.imageio.plugins.jpeg.JPEGImageReaderSpi");
  }

  static PlatformReader ofPng() {
    return new PlatformReader("com.sun.imageio.plugins.png.PNGImageReaderSpi");
  }

  private static ImageReaderSpi platformProvider(String name) {
    Iterator<ImageReaderSpi> all =
        IIORegistry.getDefaultInstance().getServiceProviders(ImageReaderSpi.class, false);
    while (all.hasNext()) {
      ImageReaderSpi candidate = all.next();
      if (candidate.getClass().getName().equals(name)) {
        return candidate;
      }
    }
    throw new IllegalStateException(
        "this Java has no reader " + name + "; install one with module java.desktop");
  }

  RgbImage read(CheckedPicture picture) throws BadFrameException {
    String[] warning = new String[1];
    ImageReader reader = newReader();
    try {
      reader.setInput(new ByteInput(picture.bytes()), true, true);
      reader.addIIOReadWarningListener(
          (source, text) -> warning[0] = warning[0] == null ? text : warning[0]);
      BufferedImage image = reader.read(0);
      if (warning[0] != null) {
        throw bad(picture, warning[0], null);
      }
      if (image.getWidth() != picture.width() || image.getHeight() != picture.height()) {
        throw bad(
            picture, "decoded size %dx%d".formatted(image.getWidth(), image.getHeight()), null);
      }
      return new RgbImage(picture.width(), picture.height(), rgb(image));
    } catch (IOException | RuntimeException e) { // its checks of hostile input are not complete
      throw bad(picture, String.valueOf(e.getMessage()), e);
    } finally {
      reader.dispose();
    }
  }

  private ImageReader newReader() {
    try {
      return provider.createReaderInstance();
    } catch (IOException e) {
      throw new IllegalStateException("a picture reader of this Java cannot be made", e);
    }
  }

  private static BadFrameException bad(
      CheckedPicture picture, String what, @Nullable Exception cause) {
    BadFrameException bad =
        new BadFrameException(
            endsEarly(what, cause) ? Reason.TRUNCATED : Reason.CORRUPT,
            "a %s of %dx%d pixels cannot be decoded whole: %s; expected an undamaged picture; "
                    .formatted(picture.format(), picture.width(), picture.height(), what)
                + "check the camera and the way to the topic");
    if (cause != null) {
      bad.initCause(cause);
    }
    return bad;
  }

  private static boolean endsEarly(String what, @Nullable Throwable cause) {
    for (Throwable at = cause; at != null; at = at.getCause()) {
      if (at instanceof EOFException) {
        return true;
      }
    }
    String lower = what.toLowerCase(Locale.ROOT);
    return lower.contains("premature") || lower.contains("end of");
  }

  /**
   * The samples as they are, of 16 bits the high 8; grey replicated, alpha left out. {@code
   * BufferedImage.getRGB} would be wrong for grey: it applies a gamma.
   */
  private static byte[] rgb(BufferedImage image) {
    Raster raster = image.getRaster();
    if (raster.getDataBuffer() instanceof DataBufferByte data
        && raster.getSampleModel() instanceof ComponentSampleModel model
        && !(image.getColorModel() instanceof IndexColorModel)) {
      return interleaved(data.getData(), model, raster);
    }
    int width = raster.getWidth();
    int bands = raster.getNumBands();
    int shift = Math.max(0, raster.getSampleModel().getSampleSize(0) - 8);
    byte[] pixels = new byte[3 * width * raster.getHeight()];
    int[] row = new int[bands * width];
    for (int y = 0, to = 0; y < raster.getHeight(); y++) {
      raster.getPixels(0, y, width, 1, row);
      for (int x = 0; x < width; x++, to += 3) {
        if (image.getColorModel() instanceof IndexColorModel palette) {
          pixels[to] = (byte) palette.getRed(row[x]);
          pixels[to + 1] = (byte) palette.getGreen(row[x]);
          pixels[to + 2] = (byte) palette.getBlue(row[x]);
        } else {
          int colours = bands >= 3 ? 1 : 0; // grey: the same sample three times
          for (int c = 0; c < 3; c++) {
            pixels[to + c] = (byte) (row[x * bands + c * colours] >> shift);
          }
        }
      }
    }
    return pixels;
  }

  /** The usual case, without a copy in between. */
  private static byte[] interleaved(byte[] from, ComponentSampleModel model, Raster raster) {
    int width = raster.getWidth();
    int height = raster.getHeight();
    int[] offsets = model.getBandOffsets();
    boolean colours = offsets.length >= 3;
    int red = offsets[0];
    int green = offsets[colours ? 1 : 0];
    int blue = offsets[colours ? 2 : 0];
    int step = model.getPixelStride();
    byte[] pixels = new byte[3 * width * height];
    for (int y = 0, to = 0; y < height; y++) {
      int at = y * model.getScanlineStride();
      for (int x = 0; x < width; x++, at += step, to += 3) {
        pixels[to] = from[at + red];
        pixels[to + 1] = from[at + green];
        pixels[to + 2] = from[at + blue];
      }
    }
    return pixels;
  }

  /** Bytes as an input of ImageIO, without its caches on disk or in memory. */
  private static final class ByteInput extends ImageInputStreamImpl {
    private final byte[] bytes;

    ByteInput(byte[] bytes) {
      this.bytes = bytes;
    }

    @Override
    public int read() {
      bitOffset = 0;
      return streamPos < bytes.length ? bytes[(int) streamPos++] & 0xFF : -1;
    }

    @Override
    public int read(byte[] to, int at, int count) {
      bitOffset = 0;
      int n = (int) Math.min(count, bytes.length - streamPos);
      if (n <= 0) {
        return count == 0 ? 0 : -1;
      }
      System.arraycopy(bytes, (int) streamPos, to, at, n);
      streamPos += n;
      return n;
    }

    @Override
    public long length() {
      return bytes.length;
    }
  }
}

// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.model;

import io.everwatch.operators.model.BadFrameException.Reason;
import java.awt.image.BufferedImage;
import java.awt.image.ComponentSampleModel;
import java.awt.image.DataBufferByte;
import java.awt.image.Raster;
import java.io.IOException;
import java.util.Iterator;
import java.util.Locale;
import javax.imageio.ImageReader;
import javax.imageio.spi.IIORegistry;
import javax.imageio.spi.ImageReaderSpi;
import javax.imageio.stream.ImageInputStreamImpl;
import org.jspecify.annotations.Nullable;

/**
 * Decodes a checked JPEG with the Java platform's own reader. Other readers that a class path may
 * bring along are passed over: pixels must not depend on what else is deployed. The platform fills
 * what is missing with grey and only warns; here a warning makes the picture unusable.
 */
final class JpegReader {
  private static final String PLATFORM = "com.sun.imageio.plugins.jpeg.JPEGImageReaderSpi";

  private final ImageReaderSpi provider = platformProvider();

  private static ImageReaderSpi platformProvider() {
    Iterator<ImageReaderSpi> all =
        IIORegistry.getDefaultInstance().getServiceProviders(ImageReaderSpi.class, false);
    while (all.hasNext()) {
      ImageReaderSpi candidate = all.next();
      if (candidate.getClass().getName().equals(PLATFORM)) {
        return candidate;
      }
    }
    throw new IllegalStateException(
        "this Java has no JPEG reader (" + PLATFORM + "); install one with module java.desktop");
  }

  RgbImage read(JpegScan.Checked jpeg) throws BadFrameException {
    String[] warning = new String[1];
    ImageReader reader = newReader();
    try {
      reader.setInput(new ByteInput(jpeg.bytes()), true, true);
      reader.addIIOReadWarningListener(
          (source, text) -> warning[0] = warning[0] == null ? text : warning[0]);
      BufferedImage image = reader.read(0);
      if (warning[0] != null) {
        throw bad(jpeg, warning[0], null);
      }
      if (image.getWidth() != jpeg.width() || image.getHeight() != jpeg.height()) {
        throw bad(jpeg, "decoded size %dx%d".formatted(image.getWidth(), image.getHeight()), null);
      }
      return rgb(image.getRaster());
    } catch (IOException | RuntimeException e) { // its checks of hostile input are not complete
      throw bad(jpeg, String.valueOf(e.getMessage()), e);
    } finally {
      reader.dispose();
    }
  }

  private ImageReader newReader() {
    try {
      return provider.createReaderInstance();
    } catch (IOException e) {
      throw new IllegalStateException("the JPEG reader of this Java cannot be made", e);
    }
  }

  private static BadFrameException bad(
      JpegScan.Checked jpeg, String what, @Nullable Exception cause) {
    String lower = what.toLowerCase(Locale.ROOT);
    boolean cut = lower.contains("premature") || lower.contains("end of");
    BadFrameException bad =
        new BadFrameException(
            cut ? Reason.TRUNCATED : Reason.CORRUPT,
            "a JPEG of %dx%d pixels cannot be decoded whole: %s; expected an undamaged picture; "
                    .formatted(jpeg.width(), jpeg.height(), what)
                + "check the camera and the way to the topic");
    if (cause != null) {
      bad.initCause(cause);
    }
    return bad;
  }

  /**
   * The raster's samples as they are. {@code BufferedImage.getRGB} would be wrong for grey: it
   * applies a gamma.
   */
  private static RgbImage rgb(Raster raster) throws BadFrameException {
    int width = raster.getWidth();
    int height = raster.getHeight();
    if (!(raster.getDataBuffer() instanceof DataBufferByte data)
        || !(raster.getSampleModel() instanceof ComponentSampleModel model)
        || (model.getNumBands() != 1 && model.getNumBands() != 3)) {
      throw new BadFrameException(
          Reason.TOO_COMPLEX,
          "a JPEG was decoded to %s; expected grey or three colours of 8 bits; check the camera"
              .formatted(raster.getSampleModel().getClass().getSimpleName()));
    }
    byte[] from = data.getData();
    int[] offsets = model.getBandOffsets();
    int red = offsets[0];
    int green = offsets[offsets.length == 3 ? 1 : 0];
    int blue = offsets[offsets.length == 3 ? 2 : 0];
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
    return new RgbImage(width, height, pixels);
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

// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.camera;

import io.everwatch.operators.model.EncodedFrame;
import io.everwatch.operators.model.EncodedFrame.Encoding;
import io.everwatch.operators.model.RgbImage;
import java.awt.color.ColorSpace;
import java.awt.image.BufferedImage;
import java.awt.image.ComponentColorModel;
import java.awt.image.DataBuffer;
import java.awt.image.DataBufferByte;
import java.awt.image.Raster;
import java.awt.image.WritableRaster;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Locale;
import java.util.Optional;
import javax.imageio.IIOImage;
import javax.imageio.ImageIO;
import javax.imageio.ImageWriteParam;
import javax.imageio.ImageWriter;
import javax.imageio.stream.MemoryCacheImageOutputStream;

/** Packs pictures for the wire. Not thread-safe: one per source. */
final class PictureEncoder implements AutoCloseable {
  private static final ComponentColorModel RGB =
      new ComponentColorModel(
          ColorSpace.getInstance(ColorSpace.CS_sRGB),
          false,
          false,
          ComponentColorModel.OPAQUE,
          DataBuffer.TYPE_BYTE);

  private final Encoding encoding;
  private final float quality;
  private final Optional<ImageWriter> writer;

  PictureEncoder(Encoding encoding) {
    this(encoding, PictureOptions.QUALITY);
  }

  /**
   * @param quality of JPEG, 1 to 100
   */
  PictureEncoder(Encoding encoding, int quality) {
    this.encoding = encoding;
    this.quality = quality / 100f;
    this.writer = encoding == Encoding.RGB24 ? Optional.empty() : Optional.of(writer(encoding));
  }

  private static ImageWriter writer(Encoding encoding) {
    return ImageIO.getImageWritersByFormatName(encoding.name().toLowerCase(Locale.ROOT)).next();
  }

  /** The picture's bytes; RGB24 takes them as they are, without a copy. */
  EncodedFrame encode(RgbImage picture) {
    byte[] bytes = writer.map(codec -> write(codec, picture)).orElseGet(picture::pixels);
    return new EncodedFrame(encoding, picture.width(), picture.height(), bytes);
  }

  private byte[] write(ImageWriter codec, RgbImage picture) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream(picture.pixels().length / 4);
    ImageWriteParam parameters = codec.getDefaultWriteParam();
    if (encoding == Encoding.JPEG) {
      parameters.setCompressionMode(ImageWriteParam.MODE_EXPLICIT);
      parameters.setCompressionQuality(quality);
    }
    try (MemoryCacheImageOutputStream out = new MemoryCacheImageOutputStream(bytes)) {
      codec.setOutput(out);
      codec.write(null, new IIOImage(view(picture), null, null), parameters);
    } catch (IOException e) {
      throw new UncheckedIOException("memory refused to be written to", e);
    } finally {
      codec.setOutput(null);
    }
    return bytes.toByteArray();
  }

  private static BufferedImage view(RgbImage picture) {
    byte[] pixels = picture.pixels();
    WritableRaster raster =
        Raster.createInterleavedRaster(
            new DataBufferByte(pixels, pixels.length),
            picture.width(),
            picture.height(),
            3 * picture.width(),
            3,
            new int[] {0, 1, 2},
            null);
    return new BufferedImage(RGB, raster, false, null);
  }

  @Override
  public void close() {
    writer.ifPresent(ImageWriter::dispose);
  }
}

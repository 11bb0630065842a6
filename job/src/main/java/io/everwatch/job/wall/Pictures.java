// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.wall;

import io.everwatch.schemas.avro.FrameEncoding;
import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.Iterator;
import java.util.Optional;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import javax.imageio.IIOImage;
import javax.imageio.ImageIO;
import javax.imageio.ImageReadParam;
import javax.imageio.ImageReader;
import javax.imageio.ImageWriteParam;
import javax.imageio.ImageWriter;
import javax.imageio.stream.ImageInputStream;
import javax.imageio.stream.MemoryCacheImageInputStream;
import javax.imageio.stream.MemoryCacheImageOutputStream;

/**
 * Pictures as a browser takes them: JPEG and PNG as they are, RGB24 as PNG, and any of them
 * smaller. What was made is kept for a while. Thread-safe.
 */
final class Pictures {
  /** More pixels than any camera has: a small file that unpacks to that is an attack. */
  private static final long MAX_PIXELS = 64_000_000;

  private static final float QUALITY = 0.82f;
  private static final int AT_ONCE = 2;
  private static final long PATIENCE_SECONDS = 3;

  private final Semaphore free = new Semaphore(AT_ONCE);
  private final ByteCache<Key, Picture> cache;

  private record Key(String stream, long sequence, long captureMicros, int width) {}

  /**
   * A picture to send.
   *
   * @param type {@code image/jpeg} or {@code image/png}
   */
  record Picture(String type, byte[] bytes) {}

  Pictures(long bytes) {
    cache = new ByteCache<>(bytes, picture -> 128 + picture.bytes().length);
  }

  /**
   * Makes one.
   *
   * @param width at most so many pixels; 0 = as it is
   * @throws IOException when the camera's bytes are no picture
   * @throws FrameArchive.BusyException when too many are being made
   */
  Picture of(Frame frame, int width)
      throws IOException, FrameArchive.BusyException, InterruptedException {
    boolean asItIs = width == 0 || (frame.width() > 0 && frame.width() <= width);
    if (asItIs && frame.encoding() == FrameEncoding.JPEG) {
      return new Picture("image/jpeg", frame.bytes());
    }
    if (asItIs && frame.encoding() == FrameEncoding.PNG) {
      return new Picture("image/png", frame.bytes());
    }
    Key key = new Key(frame.stream(), frame.sequence(), frame.captureMicros(), asItIs ? 0 : width);
    Optional<Picture> kept = cache.get(key);
    if (kept.isPresent()) {
      return kept.get();
    }
    if (!free.tryAcquire(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
      throw new FrameArchive.BusyException();
    }
    try {
      Picture made = asItIs ? png(rgb(frame)) : jpeg(scaled(decoded(frame, width), width));
      cache.put(key, made);
      return made;
    } catch (IllegalArgumentException | IndexOutOfBoundsException e) {
      throw new IOException("the bytes of the frame are no picture: " + e.getMessage(), e);
    } finally {
      free.release();
    }
  }

  private static BufferedImage decoded(Frame frame, int width) throws IOException {
    if (frame.encoding() == FrameEncoding.RGB24) {
      return rgb(frame);
    }
    try (ImageInputStream in =
        new MemoryCacheImageInputStream(new ByteArrayInputStream(frame.bytes()))) {
      Iterator<ImageReader> readers =
          ImageIO.getImageReadersByFormatName(
              frame.encoding() == FrameEncoding.PNG ? "png" : "jpeg");
      ImageReader reader = readers.next();
      try {
        reader.setInput(in, true, true);
        checkPixels(reader.getWidth(0), reader.getHeight(0));
        ImageReadParam parameters = reader.getDefaultReadParam();
        int step = Math.max(1, reader.getWidth(0) / (2 * width)); // the rest is done smoothly
        parameters.setSourceSubsampling(step, step, 0, 0);
        return reader.read(0, parameters);
      } finally {
        reader.dispose();
      }
    }
  }

  private static void checkPixels(int width, int height) throws IOException {
    if (width < 1 || height < 1 || (long) width * height > MAX_PIXELS) {
      throw new IOException(
          "a picture of %d x %d pixels; at most %d pixels are shown"
              .formatted(width, height, MAX_PIXELS));
    }
  }

  private static BufferedImage rgb(Frame frame) throws IOException {
    checkPixels(frame.width(), frame.height());
    byte[] bytes = frame.bytes();
    if (bytes.length < 3L * frame.width() * frame.height()) {
      throw new IOException(
          "%d bytes for %d x %d pixels".formatted(bytes.length, frame.width(), frame.height()));
    }
    BufferedImage image =
        new BufferedImage(frame.width(), frame.height(), BufferedImage.TYPE_INT_RGB);
    int[] row = new int[frame.width()];
    for (int y = 0, at = 0; y < frame.height(); y++) {
      for (int x = 0; x < frame.width(); x++, at += 3) {
        row[x] = (bytes[at] & 0xff) << 16 | (bytes[at + 1] & 0xff) << 8 | (bytes[at + 2] & 0xff);
      }
      image.setRGB(0, y, frame.width(), 1, row, 0, frame.width());
    }
    return image;
  }

  private static BufferedImage scaled(BufferedImage image, int width) {
    int to = Math.min(width, image.getWidth());
    int height = Math.max(1, (int) ((long) image.getHeight() * to / image.getWidth()));
    BufferedImage small = new BufferedImage(to, height, BufferedImage.TYPE_INT_RGB);
    Graphics2D graphics = small.createGraphics();
    try {
      graphics.setRenderingHint(
          RenderingHints.KEY_INTERPOLATION, RenderingHints.VALUE_INTERPOLATION_BILINEAR);
      graphics.drawImage(image, 0, 0, to, height, null);
    } finally {
      graphics.dispose();
    }
    return small;
  }

  private static Picture png(BufferedImage image) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (MemoryCacheImageOutputStream out = new MemoryCacheImageOutputStream(bytes)) {
      ImageIO.write(image, "png", out);
    }
    return new Picture("image/png", bytes.toByteArray());
  }

  private static Picture jpeg(BufferedImage image) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    ImageWriter writer = ImageIO.getImageWritersByFormatName("jpeg").next();
    try (MemoryCacheImageOutputStream out = new MemoryCacheImageOutputStream(bytes)) {
      ImageWriteParam parameters = writer.getDefaultWriteParam();
      parameters.setCompressionMode(ImageWriteParam.MODE_EXPLICIT);
      parameters.setCompressionQuality(QUALITY);
      writer.setOutput(out);
      writer.write(null, new IIOImage(image, null, null), parameters);
    } finally {
      writer.dispose();
    }
    return new Picture("image/jpeg", bytes.toByteArray());
  }
}

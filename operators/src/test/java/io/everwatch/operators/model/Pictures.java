// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.model;

import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Random;
import java.util.zip.CRC32;
import java.util.zip.Deflater;
import javax.imageio.IIOImage;
import javax.imageio.ImageIO;
import javax.imageio.ImageWriteParam;
import javax.imageio.ImageWriter;
import javax.imageio.stream.MemoryCacheImageOutputStream;

/** Encoded pictures for tests, made by the platform's encoders or byte by byte. */
final class Pictures {
  static final int WIDTH = 70;
  static final int HEIGHT = 52;

  private Pictures() {}

  static BufferedImage picture(int type) {
    BufferedImage image = new BufferedImage(WIDTH, HEIGHT, type);
    Random random = new Random(3);
    for (int y = 0; y < HEIGHT; y++) {
      for (int x = 0; x < WIDTH; x++) {
        int noise = random.nextInt(40);
        image.setRGB(
            x, y, 0x80000000 | (3 * x + noise) << 16 | (4 * y + noise) << 8 | (x ^ y) + noise);
      }
    }
    return image;
  }

  static byte[] rgb(BufferedImage image) {
    byte[] pixels = new byte[3 * image.getWidth() * image.getHeight()];
    for (int i = 0; i < pixels.length / 3; i++) {
      int argb = image.getRGB(i % image.getWidth(), i / image.getWidth());
      pixels[3 * i] = (byte) (argb >> 16);
      pixels[3 * i + 1] = (byte) (argb >> 8);
      pixels[3 * i + 2] = (byte) argb;
    }
    return pixels;
  }

  static byte[] jpeg(BufferedImage image, boolean progressive) throws IOException {
    ImageWriter writer = ImageIO.getImageWritersByFormatName("jpeg").next();
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    ImageWriteParam param = writer.getDefaultWriteParam();
    param.setProgressiveMode(
        progressive ? ImageWriteParam.MODE_DEFAULT : ImageWriteParam.MODE_DISABLED);
    try (MemoryCacheImageOutputStream stream = new MemoryCacheImageOutputStream(out)) {
      writer.setOutput(stream);
      writer.write(null, new IIOImage(image, null, null), param);
    } finally {
      writer.dispose();
    }
    return out.toByteArray();
  }

  static byte[] png(BufferedImage image) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    ImageIO.write(image, "png", out);
    return out.toByteArray();
  }

  static byte[] png(int width, int height, int colour, int interlace, byte[] data) {
    ByteBuffer out = ByteBuffer.allocate(data.length + 100);
    out.putLong(0x89504E470D0A1A0AL);
    byte[] header = new byte[13];
    ByteBuffer.wrap(header)
        .putInt(width)
        .putInt(height)
        .put((byte) 8)
        .put((byte) colour)
        .put(12, (byte) interlace);
    chunk(out, 0x49484452, header);
    chunk(out, 0x49444154, data);
    chunk(out, 0x49454E44, new byte[0]);
    return Arrays.copyOf(out.array(), out.position());
  }

  private static void chunk(ByteBuffer out, int type, byte[] data) {
    byte[] named = ByteBuffer.allocate(4 + data.length).putInt(type).put(data).array();
    CRC32 crc = new CRC32();
    crc.update(named);
    out.putInt(data.length).put(named).putInt((int) crc.getValue());
  }

  static byte[] deflate(byte[] data) {
    Deflater deflater = new Deflater();
    deflater.setInput(data);
    deflater.finish();
    byte[] out = new byte[data.length + 100];
    int length = deflater.deflate(out);
    deflater.end();
    return Arrays.copyOf(out, length);
  }

  /** Rows of RGB with their filter byte in front (PNG section 9.2). */
  static byte[] filtered(byte[] pixels, int filter) {
    int stride = 3 * WIDTH;
    byte[] out = new byte[HEIGHT * (stride + 1)];
    for (int y = 0; y < HEIGHT; y++) {
      out[y * (stride + 1)] = (byte) filter;
      for (int i = 0; i < stride; i++) {
        int at = y * stride + i;
        int a = i < 3 ? 0 : pixels[at - 3] & 0xFF;
        int b = y == 0 ? 0 : pixels[at - stride] & 0xFF;
        int c = i < 3 || y == 0 ? 0 : pixels[at - stride - 3] & 0xFF;
        int p = a + b - c;
        int nearest =
            Math.abs(p - a) <= Math.abs(p - b) && Math.abs(p - a) <= Math.abs(p - c)
                ? a
                : Math.abs(p - b) <= Math.abs(p - c) ? b : c;
        int guess = new int[] {0, a, b, (a + b) / 2, nearest}[filter];
        out[y * (stride + 1) + 1 + i] = (byte) (pixels[at] - guess);
      }
    }
    return out;
  }

  static byte[] segment(int marker, byte[] data) {
    return ByteBuffer.allocate(4 + data.length)
        .put((byte) 0xFF)
        .put((byte) marker)
        .putShort((short) (data.length + 2))
        .put(data)
        .array();
  }

  static int indexOf(byte[] jpeg, int marker) {
    for (int i = 0; ; i++) {
      if (jpeg[i] == (byte) 0xFF && jpeg[i + 1] == (byte) marker) {
        return i;
      }
    }
  }

  static int lastIndexOf(byte[] jpeg, int marker) {
    for (int i = jpeg.length - 2; ; i--) {
      if (jpeg[i] == (byte) 0xFF && jpeg[i + 1] == (byte) marker) {
        return i;
      }
    }
  }
}

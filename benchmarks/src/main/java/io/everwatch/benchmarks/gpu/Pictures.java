// SPDX-License-Identifier: Apache-2.0
package io.everwatch.benchmarks.gpu;

import io.everwatch.operators.model.EncodedFrame;
import io.everwatch.operators.model.EncodedFrame.Encoding;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import javax.imageio.ImageIO;

/** Pictures as a camera sends them: JPEGs of a scene that moves, with noise. */
final class Pictures {
  private Pictures() {}

  /** Frames that differ from each other. */
  static List<EncodedFrame> of(int width, int height, int count) {
    Random random = new Random(width * 31L + height);
    List<EncodedFrame> frames = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      BufferedImage image = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
      for (int y = 0; y < height; y++) {
        for (int x = 0; x < width; x++) {
          int noise = random.nextInt(16);
          int red = (int) (100 + 90 * Math.sin((x + 7 * i) / 19.0)) + noise;
          int green = (int) (100 + 90 * Math.cos((y - 5 * i) / 23.0)) + noise;
          int blue = (x * 3 + y * 2 + 11 * i) % 200 + noise;
          image.setRGB(x, y, red << 16 | green << 8 | blue);
        }
      }
      frames.add(new EncodedFrame(Encoding.JPEG, width, height, jpeg(image)));
    }
    return frames;
  }

  private static byte[] jpeg(BufferedImage image) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try {
      if (!ImageIO.write(image, "jpeg", out)) {
        throw new IllegalStateException("this Java runtime writes no JPEG");
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return out.toByteArray();
  }
}

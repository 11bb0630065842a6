// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.wall;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIOException;

import io.everwatch.schemas.avro.FrameEncoding;
import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.Random;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;

class PicturesTest {
  private final Pictures pictures = new Pictures(1 << 20);

  private static Frame frame(FrameEncoding encoding, byte[] bytes) {
    return Wall.frame(Told.frame("gate", 1, encoding, bytes).build(), bytes, 0);
  }

  static byte[] picture(String format, int width, int height) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    BufferedImage image = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
    for (int x = 0; x < width; x++) {
      image.setRGB(x, height / 2, 0xff8000);
    }
    ImageIO.write(image, format, bytes);
    return bytes.toByteArray();
  }

  private static BufferedImage read(Pictures.Picture picture) throws IOException {
    return ImageIO.read(new ByteArrayInputStream(picture.bytes()));
  }

  @Test
  void sizesAreReadFromTheHeadOfThePicture() throws Exception {
    for (String format : new String[] {"JPEG", "PNG"}) {
      Frame frame = frame(FrameEncoding.valueOf(format), picture(format, 641, 367));

      assertThat(frame.width()).as(format).isEqualTo(641);
      assertThat(frame.height()).as(format).isEqualTo(367);
    }
  }

  @Test
  void noBytesAtAllHaveASizeThatThrows() {
    for (int seed = 0; seed < 2_000; seed++) {
      Random random = new Random(seed);
      byte[] bytes = new byte[random.nextInt(40)];
      random.nextBytes(bytes);
      if (bytes.length > 3) {
        bytes[2] = (byte) 0xff;
      }
      assertThat(frame(FrameEncoding.JPEG, bytes).width()).as("seed %d", seed).isNotNegative();
      assertThat(frame(FrameEncoding.PNG, bytes).width()).as("seed %d", seed).isNotNegative();
    }
  }

  @Test
  void jpegIsSentAsItIs() throws Exception {
    byte[] bytes = picture("JPEG", 320, 240);

    Pictures.Picture picture = pictures.of(frame(FrameEncoding.JPEG, bytes), 0);

    assertThat(picture.type()).isEqualTo("image/jpeg");
    assertThat(picture.bytes()).isSameAs(bytes);
    assertThat(pictures.of(frame(FrameEncoding.JPEG, bytes), 640).bytes()).isSameAs(bytes);
  }

  @Test
  void aSmallerOneKeepsItsProportions() throws Exception {
    BufferedImage small =
        read(pictures.of(frame(FrameEncoding.PNG, picture("PNG", 1920, 1080)), 320));

    assertThat(small.getWidth()).isEqualTo(320);
    assertThat(small.getHeight()).isEqualTo(180);
  }

  @Test
  void plainPixelsBecomePng() throws Exception {
    byte[] pixels = {(byte) 255, 0, 0, 0, (byte) 255, 0};
    Frame frame =
        Wall.frame(
            Told.frame("gate", 1, FrameEncoding.RGB24, pixels).setWidth(2).setHeight(1).build(),
            pixels,
            0);

    Pictures.Picture picture = pictures.of(frame, 0);

    assertThat(picture.type()).isEqualTo("image/png");
    assertThat(read(picture).getRGB(0, 0)).isEqualTo(0xffff0000);
    assertThat(read(picture).getRGB(1, 0)).isEqualTo(0xff00ff00);
  }

  @Test
  void whatIsNoPictureSaysSo() {
    assertThatIOException()
        .isThrownBy(() -> pictures.of(frame(FrameEncoding.JPEG, new byte[200]), 160));
    Frame truncated =
        Wall.frame(
            Told.frame("gate", 1, FrameEncoding.RGB24, new byte[9])
                .setWidth(100)
                .setHeight(100)
                .build(),
            new byte[9],
            0);
    assertThatIOException().isThrownBy(() -> pictures.of(truncated, 0)).withMessageContaining("9");
  }

  @Test
  void aPictureThatUnpacksToGigabytesIsNotUnpacked() throws Exception {
    byte[] bomb = picture("PNG", 4, 4);
    bomb[16] = 0;
    bomb[17] = 0;
    bomb[18] = (byte) 0xff; // 65,284 pixels wide, and as high
    bomb[22] = (byte) 0xff;
    // The checksum of the head no longer fits, which readers may or may not look at before.
    assertThatIOException().isThrownBy(() -> pictures.of(frame(FrameEncoding.PNG, bomb), 160));
  }

  @Test
  void theCacheStaysWithinItsBytes() {
    ByteCache<Integer, byte[]> cache = new ByteCache<>(1_000, bytes -> bytes.length);
    for (int i = 0; i < 10; i++) {
      cache.put(i, new byte[300]);
      assertThat(cache.get(0).isPresent()).as("used last, after %d", i).isTrue();
    }

    assertThat(cache.get(8)).isPresent();
    assertThat(cache.get(7)).isEmpty();
  }
}

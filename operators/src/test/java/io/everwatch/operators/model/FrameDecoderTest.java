// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.model;

import static io.everwatch.operators.model.Pictures.HEIGHT;
import static io.everwatch.operators.model.Pictures.WIDTH;
import static io.everwatch.operators.model.Pictures.deflate;
import static io.everwatch.operators.model.Pictures.filtered;
import static io.everwatch.operators.model.Pictures.indexOf;
import static io.everwatch.operators.model.Pictures.jpeg;
import static io.everwatch.operators.model.Pictures.lastIndexOf;
import static io.everwatch.operators.model.Pictures.picture;
import static io.everwatch.operators.model.Pictures.png;
import static io.everwatch.operators.model.Pictures.rgb;
import static io.everwatch.operators.model.Pictures.segment;
import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.everwatch.operators.model.BadFrameException.Reason;
import io.everwatch.operators.model.EncodedFrame.Encoding;
import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class FrameDecoderTest {
  private final FrameDecoder decoder = new FrameDecoder(FrameLimits.defaults());

  // --- good pictures ---

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void decodesJpegAsThePlatformDoes(boolean progressive) throws Exception {
    byte[] jpeg = jpeg(picture(BufferedImage.TYPE_INT_RGB), progressive);

    RgbImage image = decode(Encoding.JPEG, jpeg);

    assertThat(image.width()).isEqualTo(WIDTH);
    assertThat(image.height()).isEqualTo(HEIGHT);
    BufferedImage expected = ImageIO.read(new ByteArrayInputStream(jpeg));
    assertThat(image.pixels()).isEqualTo(rgb(expected));
  }

  @Test
  void replicatesGreyWithoutAGammaCurve() throws Exception {
    BufferedImage grey = new BufferedImage(16, 16, BufferedImage.TYPE_BYTE_GRAY);
    for (int i = 0; i < 256; i++) {
      grey.getRaster().setSample(i % 16, i / 16, 0, 96);
    }

    RgbImage image = decode(Encoding.JPEG, jpeg(grey, false));

    assertThat(image.pixels()).hasSize(16 * 16 * 3).containsOnly((byte) 96);
  }

  @Test
  void takesComponentsNamedRgbAsTheyAre() throws Exception {
    BufferedImage grey = new BufferedImage(16, 16, BufferedImage.TYPE_INT_RGB);
    for (int i = 0; i < 256; i++) {
      grey.setRGB(i % 16, i / 16, 0x606060); // Y 96, Cb 128, Cr 128
    }
    byte[] jpeg = jpeg(grey, false);
    byte[] named = new byte[jpeg.length - 18]; // without the JFIF segment, which says YCbCr
    System.arraycopy(jpeg, 0, named, 0, 2);
    System.arraycopy(jpeg, 20, named, 2, jpeg.length - 20);
    int frame = indexOf(named, 0xC0) + 10;
    int scan = indexOf(named, 0xDA) + 5;
    for (int i = 0; i < 3; i++) {
      named[frame + 3 * i] = (byte) "RGB".charAt(i);
      named[scan + 2 * i] = (byte) "RGB".charAt(i);
    }

    byte[] pixels = decode(Encoding.JPEG, named).pixels();

    assertThat(Arrays.copyOf(pixels, 3)).containsExactly(96, (byte) 128, (byte) 128);
  }

  @Test
  void ignoresMetadataInJpeg() throws Exception {
    byte[] plain = jpeg(picture(BufferedImage.TYPE_INT_RGB), false);
    ByteArrayOutputStream more = new ByteArrayOutputStream();
    more.write(plain, 0, 2);
    more.write(segment(0xE1, "Exif\0\0 damaged".getBytes(US_ASCII)));
    more.write(segment(0xE2, "ICC_PROFILE\0\1\1nonsense".getBytes(US_ASCII)));
    more.write(segment(0xFE, new byte[50_000]));
    more.write(plain, 2, plain.length - 2);

    assertThat(decode(Encoding.JPEG, more.toByteArray()).pixels())
        .isEqualTo(decode(Encoding.JPEG, plain).pixels());
  }

  @ParameterizedTest
  @ValueSource(
      ints = {
        BufferedImage.TYPE_INT_RGB,
        BufferedImage.TYPE_INT_ARGB,
        BufferedImage.TYPE_BYTE_INDEXED,
        BufferedImage.TYPE_BYTE_BINARY
      })
  void decodesPngExactlyAndDropsAlpha(int type) throws Exception {
    BufferedImage picture = picture(type);

    RgbImage image = decode(Encoding.PNG, png(picture));

    assertThat(image.pixels()).isEqualTo(rgb(picture));
  }

  @Test
  void decodesGreyPngOfEightAndSixteenBits() throws Exception {
    BufferedImage eight = new BufferedImage(WIDTH, HEIGHT, BufferedImage.TYPE_BYTE_GRAY);
    BufferedImage sixteen = new BufferedImage(WIDTH, HEIGHT, BufferedImage.TYPE_USHORT_GRAY);
    Random random = new Random(5);
    byte[] expected = new byte[3 * WIDTH * HEIGHT];
    for (int i = 0; i < WIDTH * HEIGHT; i++) {
      int value = random.nextInt(256);
      eight.getRaster().setSample(i % WIDTH, i / WIDTH, 0, value);
      sixteen.getRaster().setSample(i % WIDTH, i / WIDTH, 0, value << 8 | random.nextInt(256));
      Arrays.fill(expected, 3 * i, 3 * i + 3, (byte) value);
    }

    assertThat(decode(Encoding.PNG, png(eight)).pixels()).isEqualTo(expected);
    assertThat(decode(Encoding.PNG, png(sixteen)).pixels()).isEqualTo(expected);
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 2, 3, 4})
  void undoesEveryPngFilter(int filter) throws Exception {
    byte[] pixels = rgb(picture(BufferedImage.TYPE_INT_RGB));

    byte[] png = png(WIDTH, HEIGHT, 2, 0, deflate(filtered(pixels, filter)));

    assertThat(decode(Encoding.PNG, png).pixels()).isEqualTo(pixels);
  }

  @Test
  void takesRgbBytesAsTheyAre() throws Exception {
    byte[] bytes = new byte[3 * 4 * 2];

    RgbImage image = decoder.decode(new EncodedFrame(Encoding.RGB24, 4, 2, bytes));

    assertThat(image.pixels()).isSameAs(bytes);
  }

  @Test
  void givesTheSamePixelsFromManyThreads() throws Exception {
    byte[] jpeg = jpeg(picture(BufferedImage.TYPE_INT_RGB), true);
    byte[] expected = decode(Encoding.JPEG, jpeg).pixels();

    List<byte[]> results =
        IntStream.range(0, 64)
            .parallel()
            .mapToObj(
                i -> {
                  try {
                    return decode(Encoding.JPEG, jpeg).pixels();
                  } catch (BadFrameException e) {
                    throw new IllegalStateException(e);
                  }
                })
            .toList();

    assertThat(results).allSatisfy(pixels -> assertThat(pixels).isEqualTo(expected));
  }

  @Test
  void digestNamesTheDecoder() {
    assertThat(decoder.digest())
        .matches("[0-9a-f]{64}")
        .isEqualTo(new FrameDecoder(FrameLimits.defaults()).digest());
  }

  // --- bad pictures ---

  @ParameterizedTest
  @EnumSource
  void refusesAnEmptyFrame(Encoding encoding) {
    assertReason(encoding, new byte[0], Reason.EMPTY);
  }

  @ParameterizedTest
  @CsvSource({"JPEG,PNG", "PNG,JPEG"})
  void refusesTheWrongMagic(Encoding said, Encoding is) throws Exception {
    BufferedImage picture = picture(BufferedImage.TYPE_INT_RGB);
    assertReason(
        said, is == Encoding.PNG ? png(picture) : jpeg(picture, false), Reason.WRONG_MAGIC);
    assertReason(said, new byte[] {1}, Reason.WRONG_MAGIC);
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void seesEveryTruncationOfAJpeg(boolean progressive) throws Exception {
    byte[] jpeg = jpeg(picture(BufferedImage.TYPE_INT_RGB), progressive);
    for (int length = 2; length < jpeg.length; length += 7) {
      assertReason(Encoding.JPEG, Arrays.copyOf(jpeg, length), Reason.TRUNCATED);
    }
    assertReason(Encoding.JPEG, Arrays.copyOf(jpeg, jpeg.length - 1), Reason.TRUNCATED);
  }

  @Test
  void seesMissingDataBeforeAnEndMarker() throws Exception {
    byte[] jpeg = jpeg(picture(BufferedImage.TYPE_INT_RGB), false);
    byte[] cut = Arrays.copyOf(jpeg, jpeg.length * 2 / 3);
    cut[cut.length - 2] = (byte) 0xFF;
    cut[cut.length - 1] = (byte) 0xD9;

    assertReason(Encoding.JPEG, cut, Reason.TRUNCATED);
  }

  @Test
  void seesEveryTruncationOfAPng() throws Exception {
    byte[] png = png(picture(BufferedImage.TYPE_INT_RGB));
    for (int length = 8; length < png.length; length += 5) {
      assertReason(Encoding.PNG, Arrays.copyOf(png, length), Reason.TRUNCATED);
    }
  }

  @Test
  void seesAPngWithTooFewRows() throws Exception {
    byte[] rows = filtered(rgb(picture(BufferedImage.TYPE_INT_RGB)), 0);
    byte[] png = png(WIDTH, HEIGHT, 2, 0, deflate(Arrays.copyOf(rows, rows.length / 2)));

    assertReason(Encoding.PNG, png, Reason.TRUNCATED);
  }

  @Test
  void looksAtNothingBeyondTheRowsOfThePngHeader() throws Exception {
    byte[] png = png(WIDTH, HEIGHT, 2, 0, deflate(new byte[1_000_000]));

    assertThat(decode(Encoding.PNG, png).pixels()).isEqualTo(new byte[3 * WIDTH * HEIGHT]);
  }

  @Test
  void flippedBytesAreRefusedOrDecodedButNeverAnError() throws Exception {
    BufferedImage picture = picture(BufferedImage.TYPE_INT_RGB);
    for (Encoding encoding : List.of(Encoding.JPEG, Encoding.PNG)) {
      byte[] good = encoding == Encoding.JPEG ? jpeg(picture, true) : png(picture);
      Random random = new Random(11);
      for (int n = 0; n < 300; n++) {
        byte[] bad = good.clone();
        bad[random.nextInt(bad.length)] ^= (byte) (1 + random.nextInt(255));
        try {
          assertThat(decode(encoding, bad).pixels()).isNotEmpty();
        } catch (BadFrameException e) {
          assertThat(e.getMessage()).contains("expected", ";");
        }
      }
    }
  }

  @Test
  void aFlippedBytePngIsCorrupt() throws Exception {
    byte[] png = png(picture(BufferedImage.TYPE_INT_RGB));
    png[png.length / 2] ^= 0x10;

    assertReason(Encoding.PNG, png, Reason.CORRUPT);
  }

  @Test
  void refusesAbsurdDimensionsBeforeDecoding() throws Exception {
    byte[] jpeg = jpeg(picture(BufferedImage.TYPE_INT_RGB), false);
    int size = indexOf(jpeg, 0xC0) + 5;
    for (byte[] side : new byte[][] {{(byte) 0xFF, (byte) 0xFF}, {0, 0}}) {
      byte[] absurd = jpeg.clone();
      System.arraycopy(side, 0, absurd, size, 2);
      assertReason(Encoding.JPEG, absurd, Reason.DIMENSIONS);
    }
    assertReason(
        Encoding.PNG, png(Integer.MAX_VALUE, 2, 2, 0, deflate(new byte[9])), Reason.DIMENSIONS);
    assertReason(Encoding.PNG, png(8000, 8000, 2, 0, deflate(new byte[9])), Reason.DIMENSIONS);
    assertReason(Encoding.PNG, png(0, 2, 2, 0, deflate(new byte[9])), Reason.DIMENSIONS);
  }

  @Test
  void aFewBytesCannotClaimAHugePicture() throws Exception {
    assertReason(Encoding.PNG, png(5000, 5000, 2, 0, deflate(new byte[9])), Reason.TRUNCATED);
  }

  @Test
  void namesBothSizesWhenTheRecordSaysAnother() throws Exception {
    byte[] jpeg = jpeg(picture(BufferedImage.TYPE_INT_RGB), false);

    assertThatThrownBy(() -> decoder.decode(new EncodedFrame(Encoding.JPEG, 71, HEIGHT, jpeg)))
        .isInstanceOfSatisfying(
            BadFrameException.class, e -> assertThat(e.reason()).isEqualTo(Reason.DIMENSIONS))
        .hasMessageContaining("70x52")
        .hasMessageContaining("71x52");
  }

  @Test
  void refusesTooManyScans() throws Exception {
    byte[] jpeg = jpeg(picture(BufferedImage.TYPE_INT_RGB), true);
    FrameDecoder strict = new FrameDecoder(new FrameLimits(8192, 33_000_000, 3, 1000));

    assertReason(strict, Encoding.JPEG, jpeg, Reason.TOO_COMPLEX);
  }

  @Test
  void refusesABombOfScans() throws Exception {
    byte[] jpeg = jpeg(picture(BufferedImage.TYPE_INT_RGB), true);
    int lastScan = lastIndexOf(jpeg, 0xDA);
    ByteArrayOutputStream bomb = new ByteArrayOutputStream();
    bomb.write(jpeg, 0, jpeg.length - 2);
    for (int i = 0; i < 100; i++) {
      bomb.write(jpeg, lastScan, jpeg.length - 2 - lastScan);
    }
    bomb.write(jpeg, jpeg.length - 2, 2);

    assertReason(Encoding.JPEG, bomb.toByteArray(), Reason.TOO_COMPLEX);
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 2, 4, 255})
  void refusesOtherNumbersOfComponents(int components) throws Exception {
    byte[] jpeg = jpeg(picture(BufferedImage.TYPE_INT_RGB), false);
    jpeg[indexOf(jpeg, 0xC0) + 9] = (byte) components;

    assertReason(Encoding.JPEG, jpeg, Reason.TOO_COMPLEX);
  }

  @ParameterizedTest
  @ValueSource(ints = {0xC3, 0xC5, 0xC9, 0xCA, 0xCF})
  void refusesRareJpegProcesses(int marker) throws Exception {
    byte[] jpeg = jpeg(picture(BufferedImage.TYPE_INT_RGB), false);
    jpeg[indexOf(jpeg, 0xC0) + 1] = (byte) marker;

    assertReason(Encoding.JPEG, jpeg, Reason.TOO_COMPLEX);
  }

  @Test
  void refusesInterlacedPng() throws Exception {
    byte[] rows = filtered(rgb(picture(BufferedImage.TYPE_INT_RGB)), 0);

    assertReason(Encoding.PNG, png(WIDTH, HEIGHT, 2, 1, deflate(rows)), Reason.TOO_COMPLEX);
  }

  @Test
  void refusesRgbOfTheWrongLength() {
    for (int length : new int[] {23, 25}) {
      EncodedFrame frame = new EncodedFrame(Encoding.RGB24, 4, 2, new byte[length]);
      assertThatThrownBy(() -> decoder.decode(frame))
          .isInstanceOf(BadFrameException.class)
          .hasMessageContaining(length + " bytes")
          .hasMessageContaining("24");
    }
    assertReason(Encoding.RGB24, new byte[24], Reason.DIMENSIONS); // no size said
  }

  private RgbImage decode(Encoding encoding, byte[] bytes) throws BadFrameException {
    return decoder.decode(new EncodedFrame(encoding, 0, 0, bytes));
  }

  private void assertReason(Encoding encoding, byte[] bytes, Reason reason) {
    assertReason(decoder, encoding, bytes, reason);
  }

  private static void assertReason(
      FrameDecoder decoder, Encoding encoding, byte[] bytes, Reason reason) {
    assertThatThrownBy(() -> decoder.decode(new EncodedFrame(encoding, 0, 0, bytes)))
        .as("%s of %d bytes", encoding, bytes.length)
        .isInstanceOfSatisfying(
            BadFrameException.class,
            e -> assertThat(e.reason()).as(e.getMessage()).isEqualTo(reason));
  }
}

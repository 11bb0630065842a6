// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.everwatch.operators.model.BadFrameException.Reason;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class FrameProcessorTest {
  private static final long WIDE = 1L << 40;
  private static final float[] MEAN = {0.5f, 0.25f, 0.125f};
  private static final float[] STD = {0.5f, 0.25f, 0.75f};

  private final FrameProcessor processor = new FrameProcessor(14, 2, 2, MEAN, STD);

  @Test
  void placesEveryPixelWhereTheSpecificationSays() throws Exception {
    RgbImage first = noise(84, 56, 1);
    RgbImage second = noise(84, 56, 2);

    Patches patches = processor.patches(List.of(first, second), 1, WIDE);

    assertThat(List.of(patches.frames(), patches.height(), patches.width()))
        .isEqualTo(List.of(1, 4, 6));
    int row = 0;
    for (int by = 0; by < 2; by++) {
      for (int bx = 0; bx < 3; bx++) {
        for (int d = 0; d < 4; d++, row++) {
          int top = (2 * by + d / 2) * 14;
          int left = (2 * bx + d % 2) * 14;
          for (int column = 0; column < 1176; column++) {
            int c = column / 392;
            RgbImage frame = column / 196 % 2 == 0 ? first : second;
            int pixel = ((top + column / 14 % 14) * 84 + left + column % 14) * 3 + c;
            float unit = (float) ((frame.pixels()[pixel] & 0xFF) / 255.0);
            assertThat(patches.rows()[row * 1176 + column]).isEqualTo((unit - MEAN[c]) / STD[c]);
          }
        }
      }
    }
  }

  @Test
  void repeatsTheLastFrameToFillThePair() throws Exception {
    RgbImage a = noise(100, 70, 1);
    RgbImage b = noise(100, 70, 2);
    RgbImage c = noise(100, 70, 3);

    Patches odd = processor.patches(List.of(a, b, c), 1, WIDE);
    Patches even =
        processor.patches(
            List.of(a, b, c, new RgbImage(c.width(), c.height(), c.pixels().clone())), 1, WIDE);

    assertThat(odd).usingRecursiveComparison().isEqualTo(even);
    assertThat(odd.frames()).isEqualTo(2);
  }

  @Test
  void resizesAllFramesToTheSizeOfTheFirst() throws Exception {
    RgbImage first = noise(84, 56, 1);
    RgbImage other = noise(200, 300, 2);

    Patches mixed = processor.patches(List.of(first, other), 1, WIDE);
    Patches alone = processor.patches(List.of(first, first), 1, WIDE);

    assertThat(mixed.rows()).hasSameSizeAs(alone.rows());
    assertThat(mixed.rows()).isNotEqualTo(alone.rows());
  }

  @Test
  void keepsPicturesForTheDeviceOnceForAllFramesThatShowThem() throws Exception {
    RgbImage a = noise(100, 70, 1);
    RgbImage b = noise(50, 90, 2);

    ClipPictures clip = processor.pictures(List.of(a, a, b, a, a), 1, WIDE);
    Patches patches = processor.patches(List.of(a, a, b, a, a), 1, WIDE);

    assertThat(clip.shown())
        .containsExactly(
            new ClipPictures.Shown(a, 0, 2),
            new ClipPictures.Shown(b, 2, 3),
            new ClipPictures.Shown(a, 3, 6));
    assertThat(List.of(clip.frames(), clip.height(), clip.width()))
        .isEqualTo(List.of(patches.frames(), patches.height(), patches.width()));
    assertThat(clip.bytes()).isEqualTo(3 * (100 * 70 + 50 * 90 + 100 * 70));
  }

  @Test
  void shrinksPicturesForTheDeviceThatWouldTakeMoreRoomThanTheirPatches() throws Exception {
    long maxPixels = 56 * 56;
    RgbImage held = noise(4 * 56, 56, 1); // four times as many pixels
    RgbImage tooLarge = noise(4 * 56 + 1, 56, 2);

    ClipPictures clip = processor.pictures(List.of(held, tooLarge), 1, maxPixels);
    Patches patches = processor.patches(List.of(held, tooLarge), 1, maxPixels);

    RgbImage shrunk = clip.shown().get(1).picture();
    assertThat(clip.shown().get(0).picture()).isSameAs(held);
    assertThat(List.of(shrunk.width(), shrunk.height()))
        .isEqualTo(List.of(clip.size().width(), clip.size().height()));
    assertThat(processor.patches(List.of(held, shrunk), 1, maxPixels).rows())
        .isEqualTo(patches.rows());
    assertThat(clip.bytes()).isLessThanOrEqualTo(2 * maxPixels * 3 * Float.BYTES);
  }

  @ParameterizedTest
  @CsvSource({"1280, 720, 84, 56", "61, 83, 112, 140", "100, 84, 84, 84", "84, 50, 84, 28"})
  void aFlatPictureStaysFlatThroughResizing(int width, int height, int toWidth, int toHeight) {
    byte[] grey = new byte[3 * width * height];
    java.util.Arrays.fill(grey, (byte) 137);
    int[] rows = {0};

    new Resampler()
        .resize(
            new RgbImage(width, height, grey),
            toWidth,
            toHeight,
            (y, rgb) -> {
              assertThat(y).isEqualTo(rows[0]++);
              assertThat(rgb).hasSize(3 * toWidth).containsOnly(137);
            });

    assertThat(rows[0]).isEqualTo(toHeight);
  }

  @Test
  void refusesStripes() {
    assertThatThrownBy(() -> processor.targetSize(10, 2001, 3136, WIDE))
        .isInstanceOfSatisfying(
            BadFrameException.class, e -> assertThat(e.reason()).isEqualTo(Reason.ASPECT_RATIO))
        .hasMessageContaining("2001x10");
  }

  @Test
  void roundsHalvesToEven() throws Exception {
    assertThat(processor.targetSize(70, 98, 1, WIDE))
        .isEqualTo(new FrameProcessor.Size(56, 112)); // 2.5 and 3.5 merge groups
  }

  private static RgbImage noise(int width, int height, long seed) {
    byte[] pixels = new byte[3 * width * height];
    new Random(seed).nextBytes(pixels);
    return new RgbImage(width, height, pixels);
  }
}

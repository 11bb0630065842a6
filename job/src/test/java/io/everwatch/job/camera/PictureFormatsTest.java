// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.camera;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.everwatch.operators.model.EncodedFrame;
import io.everwatch.operators.model.EncodedFrame.Encoding;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Video as cameras send it: 10 bits, interlaced, larger than what is wanted. */
class PictureFormatsTest {
  @TempDir private Path folder;

  private EncodedFrame picture(TestVideo video, TestVideo.Painter painter, PictureOptions options)
      throws IOException {
    Path file = folder.resolve("video.mkv");
    video.write(file, painter);
    try (VideoFileSource source = new VideoFileSource(file, Encoding.RGB24, options)) {
      return source.next().orElseThrow().picture();
    }
  }

  @Test
  void tenBitsShowWhatEightBitsShow() throws IOException {
    TestVideo.Painter ramp = (frame, plane, x, y) -> plane == 0 ? 16 + 2 * x : 128;
    byte[] eight =
        picture(TestVideo.lossless("yuv420p", 96, 32, 1), ramp, PictureOptions.WHOLE).bytes();
    byte[] ten =
        picture(
                TestVideo.lossless("yuv420p10le", 96, 32, 1),
                (frame, plane, x, y) -> 4 * ramp.sample(frame, plane, x, y),
                PictureOptions.WHOLE)
            .bytes();
    for (int i = 0; i < eight.length; i++) {
      assertThat(Math.abs((eight[i] & 0xff) - (ten[i] & 0xff))).as("sample %d", i).isLessThan(3);
    }
  }

  @Test
  void ofInterlacedVideoTheUpperFieldIsShownWithoutCombs() throws IOException {
    // the two fields are of different moments: all that is light in one is dark in the other
    TestVideo.Painter combs = (frame, plane, x, y) -> plane > 0 ? 128 : y % 2 == 0 ? 200 : 30;
    TestVideo video = new TestVideo("mpeg2video", "yuv420p", 96, 64, 25, 3, true);
    byte[] pixels = picture(video, combs, PictureOptions.WHOLE).bytes();
    assertThat(pixels).hasSize(3 * 96 * 64);
    for (int y = 0; y < 64; y++) {
      assertThat(pixels[3 * (96 * y + 48)] & 0xff).as("row %d", y).isGreaterThan(170);
    }
  }

  @ParameterizedTest
  @CsvSource({
    "1920, 1080, 1280x720, 1280, 720",
    "1080, 1920, 1280x720, 405,  720",
    "640,  360,  1280x720, 640,  360",
    "2000, 16,   100x100,  100,  1",
    "16,   2000, 100x100,  1,    100"
  })
  void shrinksToFitAndNeverEnlarges(int width, int height, String limit, int wide, int high) {
    assertThat(new PictureSize(width, height).within(PictureSize.parse(limit)))
        .isEqualTo(new PictureSize(wide, high));
  }

  @Test
  void whatIsSentHasTheSizeThatIsWanted() throws IOException {
    PictureOptions small =
        new PictureOptions(List.of(), Optional.of(new PictureSize(48, 48)), PictureOptions.QUALITY);
    EncodedFrame sent =
        picture(
            TestVideo.lossless("yuv420p", 96, 32, 1), (f, p, x, y) -> p == 0 ? 180 : 128, small);
    assertThat(List.of(sent.width(), sent.height())).isEqualTo(List.of(48, 16));
    assertThat(sent.bytes()).hasSize(3 * 48 * 16);
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "1280", "0x10", "1280x", "99999x99999", "-1x20", "8x8"})
  void refusesWhatIsNoSize(String text) {
    assertThatThrownBy(() -> PictureSize.parse(text))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("WIDTHxHEIGHT");
  }
}

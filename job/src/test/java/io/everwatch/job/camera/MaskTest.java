// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.camera;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.everwatch.operators.model.EncodedFrame.Encoding;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class MaskTest {
  private static final int WIDTH = 150;
  private static final int HEIGHT = 94;
  private static final int FRAMES = 3;
  private static final long SEED = 20261120;

  /** A rectangle whose edges lie on no block, and a triangle. */
  private static final List<Mask> MASKS =
      List.of(Mask.parse("0.113,0.207,0.3x0.25"), Mask.parse("0.55,0.5 0.95,0.55 0.7,0.97"));

  @TempDir private Path folder;

  @ParameterizedTest
  @CsvSource({
    "yuv420p,     ffv1",
    "yuv422p10le, ffv1",
    "yuv411p,     ffv1",
    "yuv444p,     ffv1",
    "gbrp,        rawvideo",
    "gray,        ffv1",
    "yuva420p,    ffv1",
    "nv12,        rawvideo",
  })
  void whatLiesUnderAMaskChangesNoByteThatIsSent(String pixels, String codec) throws IOException {
    TestVideo video = new TestVideo(codec, pixels, WIDTH, HEIGHT, 25, FRAMES, false);
    for (int seed = 0; seed < 3; seed++) {
      Path one = folder.resolve("one.nut");
      Path other = folder.resolve("other.nut");
      video.write(one, scene(pixels, SEED, SEED));
      video.write(other, scene(pixels, SEED, SEED + 1 + seed));

      assertThat(sent(one, List.of()))
          .as("unmasked, the two differ (seed %d)", seed)
          .isNotEqualTo(sent(other, List.of()));
      assertThat(sent(one, MASKS)).as("seed %d", seed).isEqualTo(sent(other, MASKS));
    }
  }

  /** Noise everywhere; that under the masks from a seed of its own. */
  private static TestVideo.Painter scene(String pixels, long seed, long seedUnderMasks) {
    int right =
        pixels.contains("411") ? 2 : pixels.contains("444") || pixels.equals("gbrp") ? 0 : 1;
    int down = pixels.contains("420") || pixels.equals("nv12") ? 1 : 0;
    int mask = pixels.contains("10") ? 1023 : 255;
    return (frame, plane, x, y) -> {
      boolean colour = plane == 1 || plane == 2;
      boolean packed = pixels.equals("nv12") && plane == 1; // two colours side by side
      int shiftX = colour && !packed ? right : 0;
      int shiftY = colour ? down : 0;
      boolean hidden =
          under(
              packed ? x / 2 * 2 : x << shiftX, y << shiftY, packed ? 2 : 1 << shiftX, 1 << shiftY);
      long of = hidden ? seedUnderMasks : seed;
      return new Random(of * 31 + ((frame * 7L + plane) * 4099 + y) * 4099 + x).nextInt() & mask;
    };
  }

  /** Whether the whole sample lies well inside of a mask. */
  private static boolean under(int x, int y, int width, int height) {
    boolean rectangle =
        x >= 0.113 * WIDTH
            && x + width <= 0.413 * WIDTH
            && y >= 0.207 * HEIGHT
            && y + height <= 0.457 * HEIGHT;
    double dx = (x + width / 2.0) / WIDTH - 0.72;
    double dy = (y + height / 2.0) / HEIGHT - 0.65;
    return rectangle || dx * dx + dy * dy < 0.05 * 0.05; // a disc inside of the triangle
  }

  private static List<List<Byte>> sent(Path video, List<Mask> masks) throws IOException {
    PictureOptions options = new PictureOptions(masks, Optional.of(new PictureSize(100, 100)), 85);
    List<List<Byte>> pictures = new ArrayList<>();
    try (VideoFileSource source = new VideoFileSource(video, Encoding.JPEG, options)) {
      for (Optional<CameraFrame> next = source.next(); next.isPresent(); next = source.next()) {
        List<Byte> bytes = new ArrayList<>();
        for (byte b : next.get().picture().bytes()) {
          bytes.add(b);
        }
        pictures.add(bytes);
      }
    }
    assertThat(pictures).hasSize(FRAMES);
    return pictures;
  }

  @Test
  void aMaskIsBlackAndTheRestIsAsItWas() throws IOException {
    Path file = folder.resolve("grey.nut");
    TestVideo.lossless("yuv420p", 160, 80, 1)
        .write(file, (f, plane, x, y) -> plane == 0 ? 180 : 128);
    byte[] pixels;
    PictureOptions left =
        new PictureOptions(List.of(Mask.parse("0,0,0.5x1")), Optional.empty(), 92);
    try (VideoFileSource source = new VideoFileSource(file, Encoding.RGB24, left)) {
      pixels = source.next().orElseThrow().picture().bytes();
    }
    for (int y = 0; y < 80; y++) {
      assertThat(pixels[3 * (160 * y + 72)]).as("masked, row %d", y).isZero();
      assertThat(pixels[3 * (160 * y + 90)] & 0xff).as("not masked, row %d", y).isGreaterThan(180);
    }
  }

  @Test
  void staysOverTheSamePartWhenTheSizeChanges() {
    Mask mask = Mask.parse("160,90,320x180 of 1280x720");
    assertThat(MaskPainter.runs(List.of(mask), new PictureSize(640, 360)))
        .allSatisfy(run -> assertThat(run.x()).isBetween(72, 80))
        .first()
        .satisfies(run -> assertThat(run.y()).isBetween(40, 45));
    assertThat(MaskPainter.runs(List.of(mask), new PictureSize(1280, 720)))
        .allSatisfy(run -> assertThat(run.x()).isBetween(152, 160));
  }

  @Test
  void coversEveryBlockItTouchesAndNotTheWholePicture() {
    List<MaskPainter.Run> runs =
        MaskPainter.runs(List.of(Mask.parse("0.5,0.5,0.001x0.001")), new PictureSize(100, 100));
    assertThat(runs).containsExactly(new MaskPainter.Run(48, 48, 8, 8));
  }

  @Test
  void reachesTheEdgesOfPicturesThatAreNoMultipleOfABlock() {
    assertThat(MaskPainter.runs(List.of(Mask.parse("0,0,1x1")), new PictureSize(13, 9)))
        .containsExactly(new MaskPainter.Run(0, 0, 13, 8), new MaskPainter.Run(0, 8, 13, 1));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "0,0",
        "0,0,0.5",
        "0,0,0x0.5",
        "0,0,1.5x0.5",
        "0,0 1,1",
        "a,b,cxd",
        "0,0 0.5,0 2,1",
        "1200,0,200x100 of 1280x720",
        "0,0,10x10 of much",
        "-0.1,0,0.5x0.5"
      })
  void refusesWhatIsNoShapeInsideOfThePicture(String text) {
    assertThatThrownBy(() -> Mask.parse(text))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("expected");
  }
}

// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.everwatch.operators.engine.RoundResult.BadFrame;
import io.everwatch.operators.model.ClipPictures;
import io.everwatch.operators.model.EncodedFrame;
import io.everwatch.operators.model.EncodedFrame.Encoding;
import io.everwatch.operators.model.FrameDecoder;
import io.everwatch.operators.model.FrameLimits;
import io.everwatch.operators.model.FrameProcessor;
import io.everwatch.operators.model.Patches;
import io.everwatch.operators.model.RgbImage;
import io.everwatch.operators.model.StreamSettings;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Frames that cannot be used, and repeats, in any order: as if all were decoded beforehand. */
class ClipTest {
  private static final int SIDE = 28;
  private static final float[] HALF = {0.5f, 0.5f, 0.5f};

  private final FrameProcessor processor = new FrameProcessor(14, 2, 2, HALF, HALF);
  private final Clip.Maker clips =
      new Clip.Maker(new FrameDecoder(FrameLimits.defaults()), processor, /* decoded= */ false);
  private final Clip.Maker decoded =
      new Clip.Maker(new FrameDecoder(FrameLimits.defaults()), processor, /* decoded= */ true);
  private final StreamSettings settings = TestEngine.settings();

  @Test
  void replacesWhatCannotBeUsedByTheGoodFrameBeforeItAtTheStartByTheFirst() throws Exception {
    for (int seed = 0; seed < 300; seed++) {
      Random random = new Random(seed);
      List<EncodedFrame> frames = new ArrayList<>();
      List<Integer> bad = new ArrayList<>();
      List<RgbImage> pictures = new ArrayList<>();
      for (int i = 1 + random.nextInt(7); i > 0; i--) {
        boolean repeat = !frames.isEmpty() && random.nextInt(4) == 0;
        boolean broken = repeat ? bad.contains(frames.size() - 1) : random.nextInt(3) == 0;
        EncodedFrame frame = repeat ? frames.get(frames.size() - 1) : frame(random, broken);
        if (broken) {
          bad.add(frames.size());
        }
        pictures.add(broken ? null : repeat ? last(pictures) : image(frame));
        frames.add(frame);
      }

      Clip clip = clips.make(frames, settings);
      Clip forDevice = decoded.make(frames, settings);

      assertThat(clip.bad()).as("seed %d", seed).extracting(BadFrame::index).isEqualTo(bad);
      assertThat(forDevice.bad()).as("seed %d", seed).isEqualTo(clip.bad());
      if (bad.size() == frames.size()) {
        assertThat(clip.vision()).as("seed %d", seed).isEmpty();
        assertThat(forDevice.vision()).as("seed %d", seed).isEmpty();
      } else {
        List<RgbImage> filled = filled(pictures);
        assertThat(((Patches) clip.vision().orElseThrow()).rows())
            .as("seed %d", seed)
            .isEqualTo(
                processor.patches(filled, settings.minPixels(), settings.maxPixels()).rows());
        assertThat(frames((ClipPictures) forDevice.vision().orElseThrow()))
            .as("seed %d", seed)
            .usingElementComparator((a, b) -> Arrays.compare(a.pixels(), b.pixels()))
            .startsWith(filled.toArray(RgbImage[]::new));
      }
    }
  }

  /** What each frame shows. */
  private static List<RgbImage> frames(ClipPictures clip) {
    List<RgbImage> frames = new ArrayList<>();
    for (ClipPictures.Shown shown : clip.shown()) {
      assertThat(shown.from()).isEqualTo(frames.size());
      while (frames.size() < shown.to()) {
        frames.add(shown.picture());
      }
    }
    assertThat(frames).hasSize(2 * clip.frames());
    return frames;
  }

  private static List<RgbImage> filled(List<RgbImage> pictures) {
    RgbImage filler = pictures.stream().filter(Objects::nonNull).findFirst().orElseThrow();
    List<RgbImage> filled = new ArrayList<>();
    for (RgbImage picture : pictures) {
      filler = picture == null ? filler : picture;
      filled.add(filler);
    }
    return filled;
  }

  private static RgbImage last(List<RgbImage> pictures) {
    return pictures.get(pictures.size() - 1);
  }

  private static RgbImage image(EncodedFrame frame) {
    return new RgbImage(SIDE, SIDE, frame.bytes());
  }

  private static EncodedFrame frame(Random random, boolean broken) {
    byte[] pixels = new byte[broken ? 5 : SIDE * SIDE * 3];
    random.nextBytes(pixels);
    return new EncodedFrame(Encoding.RGB24, SIDE, SIDE, pixels);
  }
}

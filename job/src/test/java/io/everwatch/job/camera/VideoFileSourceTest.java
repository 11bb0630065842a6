// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.camera;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.everwatch.operators.model.EncodedFrame;
import io.everwatch.operators.model.EncodedFrame.Encoding;
import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import javax.imageio.ImageIO;
import javax.sound.sampled.AudioFileFormat;
import javax.sound.sampled.AudioFormat;
import javax.sound.sampled.AudioInputStream;
import javax.sound.sampled.AudioSystem;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class VideoFileSourceTest {
  private static final Path CLIPS = Path.of("src/test/resources/video");

  @TempDir Path folder;

  @ParameterizedTest
  @CsvSource({
    // frames and time base as the file's own tables say (stts, mdhd)
    "car-detection.mp4,    250,  2000, 25000, 768, 432",
    "bottle-detection.mp4, 1189, 384,  11456, 640, 360"
  })
  void givesEveryFrameWithItsTimeStamp(
      String clip, int frames, long ticks, long ticksPerSecond, int width, int height)
      throws IOException {
    List<Long> expected = new ArrayList<>();
    for (int i = 0; i < frames; i++) {
      expected.add(Math.round(i * ticks * 1e6 / ticksPerSecond));
    }
    List<Long> offsets = new ArrayList<>();
    try (VideoFileSource video = new VideoFileSource(CLIPS.resolve(clip), Encoding.RGB24)) {
      for (Optional<CameraFrame> frame = video.next(); frame.isPresent(); frame = video.next()) {
        offsets.add(frame.get().offsetMicros());
        EncodedFrame picture = frame.get().picture();
        assertThat(picture.width()).isEqualTo(width);
        assertThat(picture.height()).isEqualTo(height);
        assertThat(picture.bytes()).hasSize(3 * width * height);
      }
    }
    assertThat(offsets).isEqualTo(expected);
  }

  @ParameterizedTest
  @EnumSource(
      value = Encoding.class,
      names = {"PNG", "JPEG"})
  void encodedFramesShowWhatTheRawOnesShow(Encoding encoding) throws IOException {
    Path clip = CLIPS.resolve("car-detection.mp4");
    try (VideoFileSource raw = new VideoFileSource(clip, Encoding.RGB24);
        VideoFileSource packed = new VideoFileSource(clip, encoding)) {
      for (int i = 0; i < 5; i++) {
        byte[] expected = raw.next().orElseThrow().picture().bytes();
        EncodedFrame picture = packed.next().orElseThrow().picture();
        assertThat(picture.encoding()).isEqualTo(encoding);
        byte[] shown = rgb(picture.bytes());
        if (encoding == Encoding.PNG) {
          assertThat(shown).isEqualTo(expected);
        } else {
          assertThat(meanDifference(shown, expected)).isLessThan(4);
        }
      }
    }
  }

  @Test
  void showsAPictureAndNotNoise() throws IOException {
    try (VideoFileSource video =
        new VideoFileSource(CLIPS.resolve("car-detection.mp4"), Encoding.RGB24)) {
      byte[] pixels = video.next().orElseThrow().picture().bytes();
      // neighbours in a photograph are alike; shuffled rows or planes would not be
      byte[] shifted = Arrays.copyOfRange(pixels, 3, pixels.length);
      assertThat(meanDifference(shifted, Arrays.copyOf(pixels, shifted.length))).isLessThan(8);
      assertThat(meanDifference(pixels, new byte[pixels.length])).isBetween(30.0, 220.0);
    }
  }

  @Test
  void isClosedTwiceWithoutHarm() throws IOException {
    VideoFileSource video = new VideoFileSource(CLIPS.resolve("car-detection.mp4"), Encoding.JPEG);
    video.next();
    video.close();
    video.close();
  }

  @Test
  void namesAFileThatIsNotThere() {
    assertThatThrownBy(() -> new VideoFileSource(folder.resolve("none.mp4"), Encoding.PNG))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("none.mp4 cannot be read");
  }

  @Test
  void namesAFileThatIsNoVideo() throws IOException {
    Path text = Files.writeString(folder.resolve("notes.mp4"), "no video at all\n".repeat(500));
    assertThatThrownBy(() -> new VideoFileSource(text, Encoding.PNG))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("notes.mp4")
        .hasMessageContaining("Invalid data found")
        .hasMessageContaining("expected a video file such as H.264 in MP4");
  }

  @Test
  void takesANameWithAColonForAName() throws IOException {
    // only without a folder before it does the name look like a protocol
    Path colon = Path.of("12:30:05.mp4");
    Files.copy(CLIPS.resolve("car-detection.mp4"), colon, StandardCopyOption.REPLACE_EXISTING);
    try (VideoFileSource video = new VideoFileSource(colon, Encoding.RGB24)) {
      assertThat(video.next()).isPresent();
    } finally {
      Files.delete(colon);
    }
  }

  @Test
  void opensNoFileThatAPlayListNames() throws IOException {
    Files.copy(CLIPS.resolve("car-detection.mp4"), folder.resolve("other.mp4"));
    Path list =
        Files.writeString(folder.resolve("list.mp4"), "ffconcat version 1.0\nfile 'other.mp4'\n");

    assertThatThrownBy(() -> new VideoFileSource(list, Encoding.RGB24))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("list.mp4 is not a video");
  }

  @Test
  void saysThatAFileHoldsSoundOnly() throws IOException {
    Path sound = folder.resolve("sound.mp4");
    byte[] silence = new byte[16_000];
    AudioSystem.write(
        new AudioInputStream(
            new ByteArrayInputStream(silence),
            new AudioFormat(8000, 16, 1, true, false),
            silence.length / 2),
        AudioFileFormat.Type.WAVE,
        sound.toFile());

    assertThatThrownBy(() -> new VideoFileSource(sound, Encoding.RGB24))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("sound.mp4 has no video track");
  }

  @Test
  void playsWhatIsThereOfAFileCutOffAndThenSaysSo() throws IOException {
    byte[] whole = Files.readAllBytes(CLIPS.resolve("car-detection.mp4"));
    Path cut = Files.write(folder.resolve("cut.mp4"), Arrays.copyOf(whole, whole.length / 2));
    try (VideoFileSource video = new VideoFileSource(cut, Encoding.RGB24)) {
      for (int i = 0; i < 100; i++) {
        assertThat(video.next()).isPresent();
      }
      assertThatThrownBy(() -> drain(video))
          .isInstanceOf(IOException.class)
          .hasMessageContaining("cut.mp4 ends at ")
          .hasMessageContaining("but it has " + whole.length / 2);
    }
  }

  @Test
  void damageInTheMiddleLosesFramesAndNotTheFile() throws IOException {
    byte[] bytes = Files.readAllBytes(CLIPS.resolve("bottle-detection.mp4"));
    Arrays.fill(bytes, bytes.length / 2, bytes.length / 2 + 6000, (byte) 0xA5);
    Path damaged = Files.write(folder.resolve("damaged.mp4"), bytes);
    try (VideoFileSource video = new VideoFileSource(damaged, Encoding.RGB24)) {
      assertThat(drain(video)).isBetween(1000, 1189);
    }
  }

  private static int drain(VideoFileSource video) throws IOException {
    int frames = 0;
    while (video.next().isPresent()) {
      frames++;
    }
    return frames;
  }

  private static byte[] rgb(byte[] encoded) throws IOException {
    BufferedImage image = ImageIO.read(new ByteArrayInputStream(encoded));
    byte[] pixels = new byte[3 * image.getWidth() * image.getHeight()];
    for (int i = 0; i < pixels.length / 3; i++) {
      int colour = image.getRGB(i % image.getWidth(), i / image.getWidth());
      pixels[3 * i] = (byte) (colour >> 16);
      pixels[3 * i + 1] = (byte) (colour >> 8);
      pixels[3 * i + 2] = (byte) colour;
    }
    return pixels;
  }

  private static double meanDifference(byte[] one, byte[] other) {
    long sum = 0;
    for (int i = 0; i < one.length; i++) {
      sum += Math.abs((one[i] & 0xff) - (other[i] & 0xff));
    }
    return (double) sum / one.length;
  }
}

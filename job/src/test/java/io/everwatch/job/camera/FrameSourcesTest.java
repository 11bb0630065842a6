// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.camera;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.groups.Tuple.tuple;

import io.everwatch.job.scene.FrameState;
import io.everwatch.job.scene.RoadScene;
import io.everwatch.job.scene.RoadWorld;
import io.everwatch.job.world.SceneUri;
import io.everwatch.job.world.WorldCamera;
import io.everwatch.operators.model.EncodedFrame;
import io.everwatch.operators.model.EncodedFrame.Encoding;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Folder, road, and the sources that wrap others. */
class FrameSourcesTest {
  private static final Path ROAD_FRAMES = Path.of("../operators/src/test/golden/road/frames");

  @TempDir Path folder;

  @Test
  void folderIsPlayedInTheOrderOfNamesWithItsBytesUntouched() throws IOException {
    List<CameraFrame> frames = all(new FolderSource(ROAD_FRAMES, 2));
    assertThat(frames).hasSize(180);
    for (int i = 0; i < frames.size(); i++) {
      assertThat(frames.get(i).offsetMicros()).isEqualTo(i * 500_000L);
      EncodedFrame picture = frames.get(i).picture();
      assertThat(picture.encoding()).isEqualTo(Encoding.PNG);
      assertThat(picture.bytes())
          .isEqualTo(Files.readAllBytes(ROAD_FRAMES.resolve("%06d.png".formatted(i))));
    }
  }

  @Test
  void folderPassesOverWhatIsNoPictureAndKnowsBothEncodings() throws IOException {
    Files.write(folder.resolve("b.JPG"), new byte[] {1});
    Files.write(folder.resolve("a.png"), new byte[] {2});
    Files.write(folder.resolve("c.jpeg"), new byte[] {3});
    Files.writeString(folder.resolve("readme.txt"), "x");
    Files.createDirectory(folder.resolve("d.png"));
    assertThat(all(new FolderSource(folder, 25)))
        .extracting(frame -> frame.picture().encoding(), CameraFrame::offsetMicros)
        .containsExactly(
            tuple(Encoding.PNG, 0L), tuple(Encoding.JPEG, 40_000L), tuple(Encoding.JPEG, 80_000L));
  }

  @Test
  void emptyFolderIsAnError() {
    assertThatThrownBy(() -> new FolderSource(folder, 2))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("holds no picture")
        .hasMessageContaining("*.png");
  }

  @Test
  void roadShowsItsWorldTwiceASecond() throws IOException {
    RoadScene scene = RoadScene.ofSeed(3);
    RoadWorld world = new RoadWorld(scene);
    RoadSceneSource source = new RoadSceneSource(scene, Encoding.RGB24);
    assertThat(source.instruction()).isEqualTo(world.instruction());
    long offset = 0;
    for (int t = 0; t < 20; t++) {
      for (FrameState state : world.next().frames()) {
        CameraFrame frame = source.next().orElseThrow();
        assertThat(frame.offsetMicros()).isEqualTo(offset);
        assertThat(frame.picture().bytes()).isEqualTo(world.expose(state));
        offset += 500_000;
      }
    }
  }

  @Test
  void roadIsPngUnlessAskedOtherwise() throws IOException {
    CameraFrame frame = new RoadSceneSource(RoadScene.ofSeed(3)).next().orElseThrow();
    assertThat(frame.picture().encoding()).isEqualTo(Encoding.PNG);
    assertThat(frame.picture().bytes()).startsWith(0x89, 'P', 'N', 'G');
    CameraFrame jpeg = new RoadSceneSource(RoadScene.ofSeed(3), Encoding.JPEG).next().orElseThrow();
    assertThat(jpeg.picture().bytes()).startsWith(0xFF, 0xD8);
  }

  @Test
  void doorShowsItsWorldAtItsOwnSizeAndRate() throws IOException {
    String uri = "scene:door?seed=3&size=168x112&fps=3&conditions=dusk";
    WorldCamera camera = new WorldCamera(SceneUri.parse(uri));
    CameraInput input = new CameraInput(uri, OptionalDouble.of(3), Optional.of(Encoding.RGB24), 2);
    long frames = 0;
    try (FrameSource source = input.open()) {
      for (int t = 0; t < 5; t++) {
        for (byte[] pixels : camera.render(camera.step())) {
          CameraFrame frame = source.next().orElseThrow();
          assertThat(frame.offsetMicros()).isEqualTo(frames++ * 1_000_000 / 3);
          assertThat(frame.picture().width()).isEqualTo(168);
          assertThat(frame.picture().bytes()).isEqualTo(pixels);
        }
      }
    }
    assertThatThrownBy(() -> new CameraInput(uri, OptionalDouble.of(2), Optional.empty(), 2).open())
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("this scene has 3 frames a second, not 2.0");
  }

  @Test
  void limitedSourceEndsAtItsTime() throws IOException {
    FrameSource road = new RoadSceneSource(RoadScene.ofSeed(3));
    assertThat(all(new LimitedSource(road, Duration.ofSeconds(5)))).hasSize(10);
  }

  @Test
  void thinningKeepsTheFirstFrameOfEachInterval() throws IOException {
    assertThat(all(new ThinnedSource(new FolderSource(ROAD_FRAMES, 30), 2)))
        .extracting(CameraFrame::offsetMicros)
        .containsExactly(
            0L,
            500_000L,
            1_000_000L,
            1_500_000L,
            2_000_000L,
            2_500_000L,
            3_000_000L,
            3_500_000L,
            4_000_000L,
            4_500_000L,
            5_000_000L,
            5_500_000L);
  }

  @Test
  void thinningToMoreThanThereIsKeepsAll() throws IOException {
    assertThat(all(new ThinnedSource(new FolderSource(ROAD_FRAMES, 30), 50))).hasSize(180);
    assertThat(all(new ThinnedSource(new FolderSource(ROAD_FRAMES, 29.97), 29.97))).hasSize(180);
  }

  @Test
  void refusesAbsurdFrameRates() {
    assertThatThrownBy(() -> new FolderSource(ROAD_FRAMES, 0))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("0.0 frames per second");
    assertThatThrownBy(() -> new FolderSource(ROAD_FRAMES, Double.NaN))
        .isInstanceOf(IllegalArgumentException.class);
  }

  private static List<CameraFrame> all(FrameSource source) throws IOException {
    List<CameraFrame> frames = new ArrayList<>();
    try (source) {
      for (Optional<CameraFrame> frame = source.next(); frame.isPresent(); frame = source.next()) {
        frames.add(frame.get());
      }
    }
    return frames;
  }
}

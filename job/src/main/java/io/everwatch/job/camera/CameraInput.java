// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.camera;

import io.everwatch.job.scene.RoadScene;
import io.everwatch.job.scene.RoadWorld;
import io.everwatch.job.world.SceneUri;
import io.everwatch.job.world.WorldScene;
import io.everwatch.operators.model.EncodedFrame.Encoding;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalDouble;

/**
 * What {@code --input} names: a video file, a folder of pictures, or a scene.
 *
 * @param what path or {@code scene:…}
 * @param fps of a video: at most so many frames a second are taken; of a folder: its frame rate
 * @param encoding how frames are packed; empty = PNG for scenes, JPEG for videos. Pictures of a
 *     folder stay as they are
 * @param folderFps frame rate of a folder unless {@code fps} says otherwise
 */
public record CameraInput(
    String what, OptionalDouble fps, Optional<Encoding> encoding, double folderFps) {
  /** What a scene begins with. */
  public static final String SCENE = "scene:";

  /** The road of the shipped model, which was trained on it; other scenes are of job.world. */
  private static final String ROAD = "scene:road";

  public boolean isScene() {
    return what.startsWith(SCENE);
  }

  /**
   * Opens it.
   *
   * @throws IOException when it is missing or cannot be read
   * @throws IllegalArgumentException when an option does not fit it
   */
  public FrameSource open() throws IOException {
    return open(PictureOptions.WHOLE);
  }

  /**
   * Opens it.
   *
   * @param pictures what becomes of a video's pictures; those of folders and scenes stay as they
   *     are
   * @throws IOException when it is missing or cannot be read
   * @throws IllegalArgumentException when an option does not fit it
   */
  public FrameSource open(PictureOptions pictures) throws IOException {
    fps.ifPresent(FrameRate::require);
    if (isScene()) {
      requireUntouched(pictures);
      return openScene();
    }
    Path path = path();
    if (Files.isDirectory(path)) {
      requireUntouched(pictures);
      if (encoding.isPresent()) {
        throw new IllegalArgumentException(
            "%s is a folder, whose pictures are sent as they are; leave out the encoding %s"
                .formatted(path, encoding.get().name().toLowerCase(Locale.ROOT)));
      }
      return new FolderSource(path, fps.orElse(folderFps));
    }
    FrameSource video = new VideoFileSource(path, encoding.orElse(Encoding.JPEG), pictures);
    return fps.isPresent() ? new ThinnedSource(video, fps.getAsDouble()) : video;
  }

  private void requireUntouched(PictureOptions pictures) {
    if (!pictures.equals(PictureOptions.WHOLE)) {
      throw new IllegalArgumentException(
          "the pictures of %s are sent as they are; masks, max-size and quality are for videos and cameras"
              .formatted(what));
    }
  }

  private FrameSource openScene() {
    Encoding packed = encoding.orElse(Encoding.PNG);
    if (what.equals(ROAD) || what.startsWith(ROAD + "?")) {
      requireFps(RoadWorld.FPS);
      return new RoadSceneSource(RoadScene.parse(what), packed);
    }
    WorldScene scene = SceneUri.parse(what);
    requireFps(scene.view().fps());
    return new WorldSource(scene, packed);
  }

  private void requireFps(int ofScene) {
    if (fps.isPresent() && fps.getAsDouble() != ofScene) {
      throw new IllegalArgumentException(
          "this scene has %d frames a second, not %s; leave out the frame rate"
              .formatted(ofScene, fps.getAsDouble()));
    }
  }

  private Path path() throws IOException {
    try {
      Path path = Path.of(what);
      if (Files.exists(path)) {
        return path;
      }
    } catch (InvalidPathException e) {
      throw new IOException("'%s' is no path (%s)".formatted(what, e.getReason()), e);
    }
    throw new IOException(
        "there is no file or folder '%s'; expected a video file, a folder of pictures, scene:road or scene:door"
            .formatted(what));
  }
}

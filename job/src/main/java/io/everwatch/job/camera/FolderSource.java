// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.camera;

import io.everwatch.operators.model.EncodedFrame;
import io.everwatch.operators.model.EncodedFrame.Encoding;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Stream;

/** The PNG and JPEG files of a folder in name order, their bytes untouched. */
public final class FolderSource implements FrameSource {
  /** As much as a job can be told to take; a picture of a camera has a hundredth of it. */
  private static final long MAX_BYTES = 256L << 20;

  private final double fps;
  private final Iterator<Path> files;
  private long frames;

  /**
   * Lists the folder.
   *
   * @param fps frames per second of capture time
   * @throws IOException when the folder cannot be listed or holds no picture
   */
  public FolderSource(Path folder, double fps) throws IOException {
    this.fps = FrameRate.require(fps);
    List<Path> pictures;
    try (Stream<Path> entries = Files.list(folder)) {
      pictures =
          entries
              .filter(file -> encodingOf(file).isPresent() && Files.isRegularFile(file))
              .sorted()
              .toList();
    }
    if (pictures.isEmpty()) {
      throw new IOException(
          "the folder %s holds no picture; expected files named *.png, *.jpg or *.jpeg, which are"
                  .formatted(folder)
              + " played in the order of their names");
    }
    files = pictures.iterator();
  }

  @Override
  public Optional<CameraFrame> next() throws IOException {
    if (!files.hasNext()) {
      return Optional.empty();
    }
    Path file = files.next();
    long size = Files.size(file);
    if (size > MAX_BYTES) {
      throw new IOException(
          "the picture %s has %d bytes; expected at most %d; is it a picture?"
              .formatted(file, size, MAX_BYTES));
    }
    // the dimensions are not said: the decoder finds them, and finds bad files as well
    EncodedFrame picture =
        new EncodedFrame(encodingOf(file).orElseThrow(), 0, 0, Files.readAllBytes(file));
    return Optional.of(new CameraFrame(Math.round(frames++ * 1e6 / fps), picture));
  }

  private static Optional<Encoding> encodingOf(Path file) {
    String name = String.valueOf(file.getFileName()).toLowerCase(Locale.ROOT);
    if (name.endsWith(".png")) {
      return Optional.of(Encoding.PNG);
    }
    return name.endsWith(".jpg") || name.endsWith(".jpeg")
        ? Optional.of(Encoding.JPEG)
        : Optional.empty();
  }

  @Override
  public void close() {}
}

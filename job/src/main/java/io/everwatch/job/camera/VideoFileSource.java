// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.camera;

import io.everwatch.operators.model.EncodedFrame.Encoding;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The frames of a video file with their own time stamps. Needs memory for one frame, whatever the
 * length of the file.
 */
public final class VideoFileSource implements FrameSource {
  private static final Logger LOG = LoggerFactory.getLogger(VideoFileSource.class);

  private final Path file;
  private final VideoDecoder decoder;
  private final FrameEncoder encoder;
  private long lastMicros;
  private boolean closed;

  /** Opens the file; its pictures are sent whole. */
  public VideoFileSource(Path file, Encoding encoding) throws IOException {
    this(file, encoding, PictureOptions.WHOLE);
  }

  /**
   * Opens the file and finds its video track.
   *
   * @throws IOException when the file is missing, is no video, or uses a codec that is not built in
   */
  public VideoFileSource(Path file, Encoding encoding, PictureOptions pictures) throws IOException {
    this.file = file;
    if (!Files.isReadable(file)) {
      throw new IOException(
          "the video %s cannot be read; is the path right and the file yours to read?"
              .formatted(file));
    }
    decoder = new VideoDecoder(MediaPolicy.file(file), new Stopping());
    encoder = new FrameEncoder(encoding, pictures); // last: nothing can fail any more
  }

  @Override
  public Optional<CameraFrame> next() throws IOException {
    Optional<VideoDecoder.Decoded> decoded = decoder.next();
    if (decoded.isEmpty()) {
      requireComplete();
      return Optional.empty();
    }
    lastMicros = Math.max(lastMicros, decoded.get().offsetMicros());
    return Optional.of(new CameraFrame(lastMicros, encoder.encode(decoded.get().frame())));
  }

  /** A file that was cut off ends like any other; only its index knows that more should come. */
  private void requireComplete() throws IOException {
    long end = decoder.indexedBytes();
    long size = Files.size(file);
    if (end > size) {
      throw new IOException(
          "%s ends at %.3f s: its index reaches to byte %d, but it has %d; copy it again"
              .formatted(file, lastMicros / 1e6, end, size));
    }
  }

  @Override
  public void close() {
    if (closed) {
      return;
    }
    closed = true;
    if (decoder.damagedPackets() > 0) {
      LOG.warn(
          "{}: {} damaged packets were passed over; their frames are missing",
          file,
          decoder.damagedPackets());
    }
    encoder.close();
    decoder.close();
  }
}

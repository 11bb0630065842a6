// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.camera;

import io.everwatch.operators.model.EncodedFrame.Encoding;
import java.io.IOException;
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
  private final RgbConverter converter;
  private final PictureEncoder encoder;
  private boolean closed;

  /**
   * Opens the file and finds its video track.
   *
   * @throws IOException when the file is missing, is no video, or uses a codec that is not built in
   */
  public VideoFileSource(Path file, Encoding encoding) throws IOException {
    this.file = file;
    encoder = new PictureEncoder(encoding);
    decoder = new VideoDecoder(file);
    converter = new RgbConverter(); // last: it holds native memory, and nothing can fail any more
  }

  @Override
  public Optional<CameraFrame> next() throws IOException {
    Optional<VideoDecoder.Decoded> decoded = decoder.next();
    if (decoded.isEmpty()) {
      return Optional.empty();
    }
    return Optional.of(
        new CameraFrame(
            decoded.get().offsetMicros(),
            encoder.encode(converter.convert(decoded.get().frame()))));
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
    converter.close();
    decoder.close();
  }
}

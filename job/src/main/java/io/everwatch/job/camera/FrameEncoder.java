// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.camera;

import io.everwatch.operators.model.EncodedFrame;
import io.everwatch.operators.model.EncodedFrame.Encoding;
import java.io.IOException;
import org.bytedeco.ffmpeg.avutil.AVFrame;

/** From the decoder's frame to what is sent: masks, then size and colours, then packing. */
final class FrameEncoder implements AutoCloseable {
  private final PictureOptions options;
  private final MaskPainter masks;
  private final RgbConverter converter;
  private final PictureEncoder encoder;

  FrameEncoder(Encoding encoding, PictureOptions options) {
    this.options = options;
    masks = new MaskPainter(options.masks());
    encoder = new PictureEncoder(encoding, options.quality());
    converter = new RgbConverter();
  }

  /**
   * Blackens the masks in the frame itself and packs it.
   *
   * @throws IOException when its pixel format cannot be masked or converted: then nothing is sent
   */
  EncodedFrame encode(AVFrame frame) throws IOException {
    masks.paint(frame);
    PictureSize whole = new PictureSize(frame.width(), frame.height());
    return encoder.encode(converter.convert(frame, options.sizeOf(whole)));
  }

  @Override
  public void close() {
    masks.close();
    encoder.close();
    converter.close();
  }
}

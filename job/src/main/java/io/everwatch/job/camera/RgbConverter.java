// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.camera;

import static org.bytedeco.ffmpeg.global.avutil.AVCOL_RANGE_JPEG;
import static org.bytedeco.ffmpeg.global.avutil.AV_PIX_FMT_RGB24;
import static org.bytedeco.ffmpeg.global.avutil.av_frame_alloc;
import static org.bytedeco.ffmpeg.global.avutil.av_frame_free;
import static org.bytedeco.ffmpeg.global.avutil.av_frame_get_buffer;
import static org.bytedeco.ffmpeg.global.avutil.av_frame_unref;
import static org.bytedeco.ffmpeg.global.swscale.SWS_ACCURATE_RND;
import static org.bytedeco.ffmpeg.global.swscale.SWS_BICUBIC;
import static org.bytedeco.ffmpeg.global.swscale.SWS_BITEXACT;
import static org.bytedeco.ffmpeg.global.swscale.SWS_CS_DEFAULT;
import static org.bytedeco.ffmpeg.global.swscale.sws_freeContext;
import static org.bytedeco.ffmpeg.global.swscale.sws_getCachedContext;
import static org.bytedeco.ffmpeg.global.swscale.sws_getCoefficients;
import static org.bytedeco.ffmpeg.global.swscale.sws_scale;
import static org.bytedeco.ffmpeg.global.swscale.sws_setColorspaceDetails;

import io.everwatch.operators.model.RgbImage;
import java.io.IOException;
import org.bytedeco.ffmpeg.avutil.AVFrame;
import org.bytedeco.ffmpeg.swscale.SwsContext;
import org.bytedeco.ffmpeg.swscale.SwsFilter;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.DoublePointer;

/**
 * Decoded frames to RGB of the same size, with the colour matrix and range that the file says. The
 * same bytes on every machine: accurate rounding, no instruction set of its own.
 */
final class RgbConverter implements AutoCloseable {
  private static final int FLAGS = SWS_BICUBIC | SWS_ACCURATE_RND | SWS_BITEXACT;
  private static final int UNIT = 1 << 16;

  private SwsContext context = new SwsContext(null);
  private final AVFrame rgb = av_frame_alloc();

  /** A copy; the frame may change afterwards. Size and format may differ from call to call. */
  RgbImage convert(AVFrame frame) throws IOException {
    int width = frame.width();
    int height = frame.height();
    if (!rgbFits(width, height)) {
      av_frame_unref(rgb);
      rgb.width(width).height(height).format(AV_PIX_FMT_RGB24);
      if (av_frame_get_buffer(rgb, 0) < 0) {
        throw new IOException("no memory for a picture of %dx%d".formatted(width, height));
      }
    }
    context =
        sws_getCachedContext(
            context,
            width,
            height,
            frame.format(),
            width,
            height,
            AV_PIX_FMT_RGB24,
            FLAGS,
            (SwsFilter) null,
            (SwsFilter) null,
            (DoublePointer) null);
    if (context == null || context.isNull()) {
      context = new SwsContext(null);
      throw new IOException(
          "pictures of %dx%d in pixel format %d cannot be turned into RGB; convert the video"
              .formatted(width, height, frame.format()));
    }
    sws_setColorspaceDetails(
        context,
        sws_getCoefficients(frame.colorspace()),
        frame.color_range() == AVCOL_RANGE_JPEG ? 1 : 0,
        sws_getCoefficients(SWS_CS_DEFAULT),
        1,
        0,
        UNIT,
        UNIT);
    sws_scale(context, frame.data(), frame.linesize(), 0, height, rgb.data(), rgb.linesize());
    return copy(width, height);
  }

  private boolean rgbFits(int width, int height) {
    return rgb.width() == width && rgb.height() == height;
  }

  /** Rows without the padding that the converter needs. */
  private RgbImage copy(int width, int height) {
    byte[] pixels = new byte[Math.multiplyExact(3, Math.multiplyExact(width, height))];
    BytePointer rows = rgb.data(0);
    for (int y = 0; y < height; y++) {
      rows.position((long) y * rgb.linesize(0)).get(pixels, y * width * 3, width * 3);
    }
    rows.position(0);
    return new RgbImage(width, height, pixels);
  }

  @Override
  public void close() {
    av_frame_free(rgb);
    sws_freeContext(context);
  }
}

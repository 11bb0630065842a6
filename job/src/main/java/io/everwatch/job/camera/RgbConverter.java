// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.camera;

import static org.bytedeco.ffmpeg.avutil.AVFrame.AV_FRAME_FLAG_INTERLACED;
import static org.bytedeco.ffmpeg.avutil.AVFrame.AV_NUM_DATA_POINTERS;
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
import org.bytedeco.javacpp.IntPointer;

/**
 * Decoded frames to RGB of a given size, with the colour matrix and range that the file says. The
 * same bytes on every machine: accurate rounding, no instruction set of its own.
 *
 * <p>Of an interlaced frame the upper field alone is used, every other row: the two are of
 * different moments, and what moves would have combs.
 */
final class RgbConverter implements AutoCloseable {
  private static final int FLAGS = SWS_BICUBIC | SWS_ACCURATE_RND | SWS_BITEXACT;
  private static final int UNIT = 1 << 16;

  private SwsContext context = new SwsContext(null);
  private final AVFrame rgb = av_frame_alloc();
  private final IntPointer fieldBytes = new IntPointer(AV_NUM_DATA_POINTERS);

  /** A copy; the frame may change afterwards. Sizes and format may differ from call to call. */
  RgbImage convert(AVFrame frame, PictureSize size) throws IOException {
    boolean interlaced = interlaced(frame);
    int rows = interlaced ? (frame.height() + 1) / 2 : frame.height();
    int width = size.width();
    int height = size.height();
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
            frame.width(),
            rows,
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
              .formatted(frame.width(), frame.height(), frame.format()));
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
    IntPointer rowBytes = interlaced ? everyOtherRow(frame) : frame.linesize();
    sws_scale(context, frame.data(), rowBytes, 0, rows, rgb.data(), rgb.linesize());
    return copy(width, height);
  }

  static boolean interlaced(AVFrame frame) {
    return (frame.flags() & AV_FRAME_FLAG_INTERLACED) != 0;
  }

  private IntPointer everyOtherRow(AVFrame frame) {
    for (int plane = 0; plane < AV_NUM_DATA_POINTERS; plane++) {
      fieldBytes.put(plane, 2 * frame.linesize(plane));
    }
    return fieldBytes;
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
    fieldBytes.close();
    av_frame_free(rgb);
    sws_freeContext(context);
  }
}

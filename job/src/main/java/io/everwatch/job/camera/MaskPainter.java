// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.camera;

import static org.bytedeco.ffmpeg.global.avutil.AV_PIX_FMT_FLAG_BITSTREAM;
import static org.bytedeco.ffmpeg.global.avutil.AV_PIX_FMT_FLAG_HWACCEL;
import static org.bytedeco.ffmpeg.global.avutil.AV_PIX_FMT_FLAG_PAL;
import static org.bytedeco.ffmpeg.global.avutil.av_frame_make_writable;
import static org.bytedeco.ffmpeg.global.avutil.av_image_fill_black;
import static org.bytedeco.ffmpeg.global.avutil.av_image_get_linesize;
import static org.bytedeco.ffmpeg.global.avutil.av_pix_fmt_desc_get;

import java.io.IOException;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import org.bytedeco.ffmpeg.avutil.AVFrame;
import org.bytedeco.ffmpeg.avutil.AVPixFmtDescriptor;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.PointerPointer;
import org.bytedeco.javacpp.SizeTPointer;

/**
 * Blackens masks in decoded frames, whatever their pixel format. A mask grows to whole blocks of
 * 8x8 pixels: colour is stored for several pixels at once, in interlaced video for rows two apart,
 * and no sample that tells of a masked pixel may stay.
 */
final class MaskPainter implements AutoCloseable {
  private static final int BLOCK = 8;
  private static final int PLANES = 4;
  private static final long UNUSABLE =
      AV_PIX_FMT_FLAG_HWACCEL | AV_PIX_FMT_FLAG_BITSTREAM | AV_PIX_FMT_FLAG_PAL;

  /** Blocks side by side, in pixels. */
  record Run(int x, int y, int width, int height) {}

  private final List<Mask> masks;
  private final PointerPointer<BytePointer> corner = new PointerPointer<>(PLANES);
  private final SizeTPointer lineBytes = new SizeTPointer(PLANES);
  private PictureSize painted = new PictureSize(1, 1);
  private List<Run> runs = List.of();

  MaskPainter(List<Mask> masks) {
    this.masks = List.copyOf(masks);
  }

  /**
   * Blackens; the frame gets a copy of its own where the decoder still needs the picture.
   *
   * @throws IOException when it cannot be done for this pixel format
   */
  void paint(AVFrame frame) throws IOException {
    if (masks.isEmpty()) {
      return;
    }
    PictureSize size = new PictureSize(frame.width(), frame.height());
    if (!size.equals(painted)) {
      runs = runs(masks, size);
      painted = size;
    }
    AVPixFmtDescriptor format = av_pix_fmt_desc_get(frame.format());
    if (format == null || (format.flags() & UNUSABLE) != 0 || av_frame_make_writable(frame) < 0) {
      throw unusable(frame);
    }
    for (Run run : runs) {
      blacken(frame, format, run);
    }
  }

  private void blacken(AVFrame frame, AVPixFmtDescriptor format, Run run) throws IOException {
    for (int plane = 0; plane < PLANES; plane++) {
      BytePointer data = frame.data(plane);
      if (data == null || data.isNull()) {
        corner.put(plane, new BytePointer());
        lineBytes.put(plane, 0);
        continue;
      }
      boolean colour = plane == 1 || plane == 2;
      long row = colour ? run.y() >> format.log2_chroma_h() : run.y();
      int column = av_image_get_linesize(frame.format(), run.x(), plane);
      int stride = frame.linesize(plane);
      corner.put(plane, new BytePointer(data).position(row * stride + column));
      lineBytes.put(plane, stride);
    }
    if (av_image_fill_black(
            corner, lineBytes, frame.format(), frame.color_range(), run.width(), run.height())
        < 0) {
      throw unusable(frame);
    }
  }

  private static IOException unusable(AVFrame frame) {
    return new IOException(
        "pictures of %dx%d in pixel format %d cannot be masked, so none is sent; let the camera send H.264"
            .formatted(frame.width(), frame.height(), frame.format()));
  }

  /** What the masks cover of a picture, in blocks, from top to bottom. */
  static List<Run> runs(List<Mask> masks, PictureSize size) {
    int columns = (size.width() + BLOCK - 1) / BLOCK;
    int rows = (size.height() + BLOCK - 1) / BLOCK;
    BitSet cells = new BitSet(columns * rows);
    for (Mask mask : masks) {
      mask.cover(
          cells, columns, rows, (double) BLOCK / size.width(), (double) BLOCK / size.height());
    }
    List<Run> runs = new ArrayList<>();
    for (int row = 0; row < rows; row++) {
      int end = (row + 1) * columns;
      int from = cells.nextSetBit(row * columns);
      while (from >= 0 && from < end) {
        int to = Math.min(cells.nextClearBit(from), end);
        int x = (from - row * columns) * BLOCK;
        int y = row * BLOCK;
        runs.add(
            new Run(
                x,
                y,
                Math.min((to - from) * BLOCK, size.width() - x),
                Math.min(BLOCK, size.height() - y)));
        from = cells.nextSetBit(to);
      }
    }
    return runs;
  }

  @Override
  public void close() {
    corner.close();
    lineBytes.close();
  }
}

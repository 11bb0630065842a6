// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.camera;

import static org.bytedeco.ffmpeg.global.avcodec.AV_CODEC_FLAG_GLOBAL_HEADER;
import static org.bytedeco.ffmpeg.global.avcodec.AV_CODEC_FLAG_INTERLACED_DCT;
import static org.bytedeco.ffmpeg.global.avcodec.av_packet_alloc;
import static org.bytedeco.ffmpeg.global.avcodec.av_packet_free;
import static org.bytedeco.ffmpeg.global.avcodec.av_packet_rescale_ts;
import static org.bytedeco.ffmpeg.global.avcodec.avcodec_alloc_context3;
import static org.bytedeco.ffmpeg.global.avcodec.avcodec_find_encoder_by_name;
import static org.bytedeco.ffmpeg.global.avcodec.avcodec_free_context;
import static org.bytedeco.ffmpeg.global.avcodec.avcodec_open2;
import static org.bytedeco.ffmpeg.global.avcodec.avcodec_parameters_from_context;
import static org.bytedeco.ffmpeg.global.avcodec.avcodec_receive_packet;
import static org.bytedeco.ffmpeg.global.avcodec.avcodec_send_frame;
import static org.bytedeco.ffmpeg.global.avformat.AVFMT_GLOBALHEADER;
import static org.bytedeco.ffmpeg.global.avformat.AVIO_FLAG_WRITE;
import static org.bytedeco.ffmpeg.global.avformat.av_interleaved_write_frame;
import static org.bytedeco.ffmpeg.global.avformat.av_write_trailer;
import static org.bytedeco.ffmpeg.global.avformat.avformat_alloc_output_context2;
import static org.bytedeco.ffmpeg.global.avformat.avformat_free_context;
import static org.bytedeco.ffmpeg.global.avformat.avformat_new_stream;
import static org.bytedeco.ffmpeg.global.avformat.avformat_write_header;
import static org.bytedeco.ffmpeg.global.avformat.avio_closep;
import static org.bytedeco.ffmpeg.global.avformat.avio_open;
import static org.bytedeco.ffmpeg.global.avutil.av_frame_alloc;
import static org.bytedeco.ffmpeg.global.avutil.av_frame_free;
import static org.bytedeco.ffmpeg.global.avutil.av_frame_get_buffer;
import static org.bytedeco.ffmpeg.global.avutil.av_frame_make_writable;
import static org.bytedeco.ffmpeg.global.avutil.av_get_pix_fmt;
import static org.bytedeco.ffmpeg.global.avutil.av_image_get_linesize;
import static org.bytedeco.ffmpeg.global.avutil.av_pix_fmt_count_planes;
import static org.bytedeco.ffmpeg.global.avutil.av_pix_fmt_desc_get;

import java.io.IOException;
import java.nio.file.Path;
import org.bytedeco.ffmpeg.avcodec.AVCodec;
import org.bytedeco.ffmpeg.avcodec.AVCodecContext;
import org.bytedeco.ffmpeg.avcodec.AVPacket;
import org.bytedeco.ffmpeg.avformat.AVFormatContext;
import org.bytedeco.ffmpeg.avformat.AVIOContext;
import org.bytedeco.ffmpeg.avformat.AVOutputFormat;
import org.bytedeco.ffmpeg.avformat.AVStream;
import org.bytedeco.ffmpeg.avutil.AVDictionary;
import org.bytedeco.ffmpeg.avutil.AVFrame;
import org.bytedeco.ffmpeg.avutil.AVPixFmtDescriptor;
import org.bytedeco.javacpp.BytePointer;

/**
 * Small videos with known pixels, made by the same library that reads them.
 *
 * @param codec such as {@code ffv1} (lossless) or {@code mpeg2video}
 * @param pixels a planar pixel format such as {@code yuv420p10le}
 */
record TestVideo(
    String codec, String pixels, int width, int height, int fps, int frames, boolean interlaced) {
  /** The samples of a plane. */
  @FunctionalInterface
  interface Painter {
    /** A sample, of as many bits as the format has. */
    int sample(int frame, int plane, int x, int y);
  }

  static TestVideo lossless(String pixels, int width, int height, int frames) {
    return new TestVideo("ffv1", pixels, width, height, 25, frames, false);
  }

  /** Writes it; the container is that of the file's name. */
  void write(Path file, Painter painter) throws IOException {
    AVFormatContext container = new AVFormatContext(null);
    check(
        avformat_alloc_output_context2(
            container, (AVOutputFormat) null, (String) null, file.toString()));
    AVCodecContext encoder = encoder(container);
    AVFrame picture = av_frame_alloc();
    AVPacket packet = av_packet_alloc();
    try {
      AVStream stream = avformat_new_stream(container, null);
      check(avcodec_parameters_from_context(stream.codecpar(), encoder));
      stream.time_base().num(1).den(fps);
      AVIOContext out = new AVIOContext(null);
      check(avio_open(out, file.toString(), AVIO_FLAG_WRITE));
      container.pb(out);
      check(avformat_write_header(container, (AVDictionary) null));
      picture.width(width).height(height).format(encoder.pix_fmt());
      check(av_frame_get_buffer(picture, 0));
      for (int i = 0; i < frames; i++) {
        check(av_frame_make_writable(picture));
        paint(picture, i, painter);
        picture.pts(i);
        if (interlaced) {
          picture.flags(
              picture.flags()
                  | AVFrame.AV_FRAME_FLAG_INTERLACED
                  | AVFrame.AV_FRAME_FLAG_TOP_FIELD_FIRST);
        }
        check(avcodec_send_frame(encoder, picture));
        drain(container, encoder, packet);
      }
      check(avcodec_send_frame(encoder, null));
      drain(container, encoder, packet);
      check(av_write_trailer(container));
      avio_closep(out);
      container.pb(null);
    } finally {
      av_packet_free(packet);
      av_frame_free(picture);
      avcodec_free_context(encoder);
      avformat_free_context(container);
    }
  }

  private AVCodecContext encoder(AVFormatContext container) throws IOException {
    AVCodec found = avcodec_find_encoder_by_name(codec);
    AVCodecContext encoder = avcodec_alloc_context3(found);
    encoder.width(width).height(height).pix_fmt(av_get_pix_fmt(pixels));
    encoder.time_base().num(1).den(fps);
    encoder.framerate().num(fps).den(1);
    encoder.gop_size(fps).max_b_frames(0).bit_rate(400_000);
    if (interlaced) {
      encoder.flags(encoder.flags() | AV_CODEC_FLAG_INTERLACED_DCT);
    }
    if ((container.oformat().flags() & AVFMT_GLOBALHEADER) != 0) {
      encoder.flags(encoder.flags() | AV_CODEC_FLAG_GLOBAL_HEADER);
    }
    check(avcodec_open2(encoder, found, (AVDictionary) null));
    return encoder;
  }

  private void drain(AVFormatContext container, AVCodecContext encoder, AVPacket packet)
      throws IOException {
    while (avcodec_receive_packet(encoder, packet) == 0) {
      packet.stream_index(0);
      av_packet_rescale_ts(packet, encoder.time_base(), container.streams(0).time_base());
      check(av_interleaved_write_frame(container, packet));
    }
  }

  private void paint(AVFrame picture, int frame, Painter painter) {
    AVPixFmtDescriptor format = av_pix_fmt_desc_get(picture.format());
    boolean wide = format.comp(0).depth() > 8;
    for (int plane = 0; plane < av_pix_fmt_count_planes(picture.format()); plane++) {
      boolean colour = plane == 1 || plane == 2;
      int columns = av_image_get_linesize(picture.format(), width, plane) / (wide ? 2 : 1);
      int rows = colour ? -(-height >> format.log2_chroma_h()) : height;
      BytePointer data = picture.data(plane);
      for (int y = 0; y < rows; y++) {
        long row = (long) y * picture.linesize(plane);
        for (int x = 0; x < columns; x++) {
          int sample = painter.sample(frame, plane, x, y);
          if (wide) {
            data.put(row + 2L * x, (byte) sample);
            data.put(row + 2L * x + 1, (byte) (sample >> 8));
          } else {
            data.put(row + x, (byte) sample);
          }
        }
      }
    }
  }

  private static void check(int code) throws IOException {
    FFmpegErrors.require(code, "the test's video was not written", "look at the code above");
  }
}

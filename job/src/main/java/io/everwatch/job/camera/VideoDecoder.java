// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.camera;

import static org.bytedeco.ffmpeg.global.avcodec.av_packet_alloc;
import static org.bytedeco.ffmpeg.global.avcodec.av_packet_free;
import static org.bytedeco.ffmpeg.global.avcodec.av_packet_unref;
import static org.bytedeco.ffmpeg.global.avcodec.avcodec_alloc_context3;
import static org.bytedeco.ffmpeg.global.avcodec.avcodec_find_decoder;
import static org.bytedeco.ffmpeg.global.avcodec.avcodec_free_context;
import static org.bytedeco.ffmpeg.global.avcodec.avcodec_get_name;
import static org.bytedeco.ffmpeg.global.avcodec.avcodec_open2;
import static org.bytedeco.ffmpeg.global.avcodec.avcodec_parameters_to_context;
import static org.bytedeco.ffmpeg.global.avcodec.avcodec_receive_frame;
import static org.bytedeco.ffmpeg.global.avcodec.avcodec_send_packet;
import static org.bytedeco.ffmpeg.global.avformat.av_find_best_stream;
import static org.bytedeco.ffmpeg.global.avformat.av_read_frame;
import static org.bytedeco.ffmpeg.global.avformat.avformat_close_input;
import static org.bytedeco.ffmpeg.global.avformat.avformat_find_stream_info;
import static org.bytedeco.ffmpeg.global.avformat.avformat_index_get_entries_count;
import static org.bytedeco.ffmpeg.global.avformat.avformat_index_get_entry;
import static org.bytedeco.ffmpeg.global.avformat.avformat_open_input;
import static org.bytedeco.ffmpeg.global.avutil.AVERROR_EAGAIN;
import static org.bytedeco.ffmpeg.global.avutil.AVERROR_EOF;
import static org.bytedeco.ffmpeg.global.avutil.AVERROR_INVALIDDATA;
import static org.bytedeco.ffmpeg.global.avutil.AVMEDIA_TYPE_VIDEO;
import static org.bytedeco.ffmpeg.global.avutil.AV_LOG_QUIET;
import static org.bytedeco.ffmpeg.global.avutil.AV_NOPTS_VALUE;
import static org.bytedeco.ffmpeg.global.avutil.av_dict_free;
import static org.bytedeco.ffmpeg.global.avutil.av_dict_set;
import static org.bytedeco.ffmpeg.global.avutil.av_frame_alloc;
import static org.bytedeco.ffmpeg.global.avutil.av_frame_free;
import static org.bytedeco.ffmpeg.global.avutil.av_log_set_level;
import static org.bytedeco.ffmpeg.global.avutil.av_rescale_q;
import static org.bytedeco.ffmpeg.global.avutil.av_strerror;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.bytedeco.ffmpeg.avcodec.AVCodec;
import org.bytedeco.ffmpeg.avcodec.AVCodecContext;
import org.bytedeco.ffmpeg.avcodec.AVPacket;
import org.bytedeco.ffmpeg.avformat.AVFormatContext;
import org.bytedeco.ffmpeg.avformat.AVIndexEntry;
import org.bytedeco.ffmpeg.avformat.AVInputFormat;
import org.bytedeco.ffmpeg.avformat.AVStream;
import org.bytedeco.ffmpeg.avutil.AVDictionary;
import org.bytedeco.ffmpeg.avutil.AVFrame;
import org.bytedeco.ffmpeg.avutil.AVRational;

/**
 * The decoded frames of a file's video track, in the order of display. Holds one packet and one
 * frame, whatever the length of the file.
 */
final class VideoDecoder implements AutoCloseable {
  /** A picture above this is not a camera's; the decoder refuses it before allocating. */
  private static final long MAX_PIXELS = 8192L * 8192;

  /** Containers that hold their frames themselves; sound only for the sake of the message. */
  private static final String CONTAINERS =
      "mov,matroska,avi,mpegts,mpeg,mpegvideo,flv,ogg,asf,mxf,gxf,nut,ivf,gif,apng,mjpeg,h264,hevc,"
          + "m4v,vc1,av1,obu,h263,dv,rm,yuv4mpegpipe,wav,mp3,aac,flac";

  private static final int REASON_BYTES = 256;

  static {
    // failures reach the caller as exceptions; the library would write them to stderr besides
    av_log_set_level(AV_LOG_QUIET);
  }

  private final Path file;
  private final AVFormatContext container = new AVFormatContext(null);
  private AVCodecContext codec = new AVCodecContext(null);
  private final AVPacket packet = av_packet_alloc();
  private final AVFrame frame = av_frame_alloc();
  private final AVRational micros = new AVRational().num(1).den(1_000_000);
  private final AVRational timeBase = new AVRational();
  private int track = -1;
  private long firstPts = AV_NOPTS_VALUE;
  private long lastMicros;
  private long damaged;
  private boolean drained;
  private boolean closed;

  /**
   * @throws IOException when the file is missing, is no video, or uses a codec that is not built in
   */
  VideoDecoder(Path file) throws IOException {
    this.file = file;
    if (!Files.isReadable(file)) {
      throw new IOException(
          "the video %s cannot be read; is the path right and the file yours to read?"
              .formatted(file));
    }
    try {
      open();
    } catch (IOException | RuntimeException e) {
      close();
      throw e;
    }
  }

  private void open() throws IOException {
    String hint = "expected a video file such as H.264 in MP4; does it play elsewhere?";
    require(openInput(), "%s is not a video".formatted(file), hint);
    require(
        avformat_find_stream_info(container, (AVDictionary) null),
        "%s has no readable header".formatted(file),
        hint);
    track = av_find_best_stream(container, AVMEDIA_TYPE_VIDEO, -1, -1, (AVCodec) null, 0);
    require(track, "%s has no video track".formatted(file), hint);
    AVStream stream = container.streams(track);
    timeBase.num(stream.time_base().num()).den(stream.time_base().den());
    int codecId = stream.codecpar().codec_id();
    AVCodec decoder = avcodec_find_decoder(codecId);
    if (decoder == null) {
      throw new IOException(
          "%s is coded as %s, which is not built in; convert it to H.264"
              .formatted(file, avcodec_get_name(codecId).getString()));
    }
    codec = avcodec_alloc_context3(decoder);
    codec.thread_count(1).max_pixels(MAX_PIXELS).pkt_timebase(stream.time_base());
    require(
        avcodec_parameters_to_context(codec, stream.codecpar()), "%s: codec".formatted(file), hint);
    require(
        avcodec_open2(codec, decoder, (AVDictionary) null),
        "%s: the decoder does not start".formatted(file),
        hint);
  }

  /**
   * Opens the file and never another one: without "file:" a name with a colon would be taken for a
   * protocol, and play lists, which look like any file, may name what they like.
   */
  private int openInput() {
    AVDictionary options = new AVDictionary(null);
    try {
      av_dict_set(options, "protocol_whitelist", "file", 0);
      av_dict_set(options, "format_whitelist", CONTAINERS, 0);
      return avformat_open_input(container, "file:" + file, (AVInputFormat) null, options);
    } finally {
      av_dict_free(options);
    }
  }

  /** A frame that stays valid until the next call. */
  record Decoded(long offsetMicros, AVFrame frame) {}

  /** The next frame, or empty at the end. */
  Optional<Decoded> next() throws IOException {
    while (true) {
      int got = avcodec_receive_frame(codec, frame);
      if (got == 0) {
        return Optional.of(new Decoded(offsetMicros(), frame));
      }
      if (got == AVERROR_EOF) {
        requireComplete();
        return Optional.empty();
      }
      if (got != AVERROR_EAGAIN()) {
        throw failure(got);
      }
      feed();
    }
  }

  /** Packets that the decoder refused; the frames they held are missing. */
  long damagedPackets() {
    return damaged;
  }

  /** A file that was cut off ends like any other; only its index knows that more should come. */
  private void requireComplete() throws IOException {
    AVStream stream = container.streams(track);
    long end = 0;
    for (int i = avformat_index_get_entries_count(stream) - 1; i >= 0; i--) {
      AVIndexEntry entry = avformat_index_get_entry(stream, i);
      end = Math.max(end, entry.pos() + entry.size());
    }
    long size = Files.size(file);
    if (end > size) {
      throw new IOException(
          "%s ends at %.3f s: its index reaches to byte %d, but it has %d; copy it again"
              .formatted(file, lastMicros / 1e6, end, size));
    }
  }

  private void feed() throws IOException {
    while (!drained) {
      int read = av_read_frame(container, packet);
      if (read < 0 && read != AVERROR_EOF) {
        throw failure(read);
      }
      if (read == AVERROR_EOF) {
        drained = true;
        checkSent(avcodec_send_packet(codec, null));
        return;
      }
      try {
        if (packet.stream_index() == track) {
          checkSent(avcodec_send_packet(codec, packet));
          return;
        }
      } finally {
        av_packet_unref(packet);
      }
    }
  }

  private void checkSent(int sent) throws IOException {
    if (sent == AVERROR_INVALIDDATA) {
      damaged++;
    } else if (sent < 0) {
      throw failure(sent);
    }
  }

  /** Since the first frame; a frame without a time stamp keeps that of the frame before. */
  private long offsetMicros() {
    long pts = frame.best_effort_timestamp();
    if (pts != AV_NOPTS_VALUE) {
      firstPts = firstPts == AV_NOPTS_VALUE ? pts : firstPts;
      lastMicros = Math.max(lastMicros, av_rescale_q(pts - firstPts, timeBase, micros));
    }
    return lastMicros;
  }

  private IOException failure(int code) {
    return new IOException(
        "%s: reading stopped at %.3f s: %s; is the file complete?"
            .formatted(file, lastMicros / 1e6, reason(code)));
  }

  private static void require(int code, String what, String hint) throws IOException {
    if (code < 0) {
      throw new IOException("%s (%s); %s".formatted(what, reason(code), hint));
    }
  }

  private static String reason(int code) {
    byte[] text = new byte[REASON_BYTES];
    av_strerror(code, text, text.length);
    int end = 0;
    while (end < text.length && text[end] != 0) {
      end++;
    }
    return new String(text, 0, end, StandardCharsets.UTF_8);
  }

  @Override
  public void close() {
    if (closed) {
      return;
    }
    closed = true;
    av_frame_free(frame);
    av_packet_free(packet);
    if (!codec.isNull()) {
      avcodec_free_context(codec);
    }
    if (!container.isNull()) {
      avformat_close_input(container);
    }
    micros.close();
    timeBase.close();
  }
}

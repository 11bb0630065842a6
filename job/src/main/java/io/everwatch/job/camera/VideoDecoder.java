// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.camera;

import static io.everwatch.job.camera.FFmpegErrors.reason;
import static io.everwatch.job.camera.FFmpegErrors.require;
import static org.bytedeco.ffmpeg.global.avcodec.AV_PKT_DATA_PRFT;
import static org.bytedeco.ffmpeg.global.avcodec.av_packet_get_side_data;
import static org.bytedeco.ffmpeg.global.avcodec.avcodec_alloc_context3;
import static org.bytedeco.ffmpeg.global.avcodec.avcodec_find_decoder;
import static org.bytedeco.ffmpeg.global.avcodec.avcodec_free_context;
import static org.bytedeco.ffmpeg.global.avcodec.avcodec_get_name;
import static org.bytedeco.ffmpeg.global.avcodec.avcodec_open2;
import static org.bytedeco.ffmpeg.global.avcodec.avcodec_parameters_to_context;
import static org.bytedeco.ffmpeg.global.avcodec.avcodec_receive_frame;
import static org.bytedeco.ffmpeg.global.avcodec.avcodec_send_packet;
import static org.bytedeco.ffmpeg.global.avutil.AVERROR_EAGAIN;
import static org.bytedeco.ffmpeg.global.avutil.AVERROR_EOF;
import static org.bytedeco.ffmpeg.global.avutil.AVERROR_INVALIDDATA;
import static org.bytedeco.ffmpeg.global.avutil.AV_NOPTS_VALUE;
import static org.bytedeco.ffmpeg.global.avutil.av_frame_alloc;
import static org.bytedeco.ffmpeg.global.avutil.av_frame_free;
import static org.bytedeco.ffmpeg.global.avutil.av_rescale_q;

import java.io.IOException;
import java.util.Optional;
import java.util.OptionalLong;
import org.bytedeco.ffmpeg.avcodec.AVCodec;
import org.bytedeco.ffmpeg.avcodec.AVCodecContext;
import org.bytedeco.ffmpeg.avcodec.AVPacket;
import org.bytedeco.ffmpeg.avcodec.AVProducerReferenceTime;
import org.bytedeco.ffmpeg.avformat.AVStream;
import org.bytedeco.ffmpeg.avutil.AVDictionary;
import org.bytedeco.ffmpeg.avutil.AVFrame;
import org.bytedeco.ffmpeg.avutil.AVRational;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.SizeTPointer;

/**
 * The decoded frames of a file's or a camera's video track, in the order of display. Holds one
 * packet and one frame, whatever the length.
 */
final class VideoDecoder implements AutoCloseable {
  /** A picture above this is not a camera's; the decoder refuses it before allocating. */
  static final long MAX_PIXELS = 8192L * 8192;

  /** Samples that the mean of a camera's clock goes over. */
  private static final int CLOCK_SAMPLES = 64;

  private static final long CLOCK_SET_MICROS = 1_000_000;

  private final VideoInput input;
  private final String name;
  private final AVCodecContext codec;
  private final AVFrame frame = av_frame_alloc();
  private final AVRational micros = new AVRational().num(1).den(1_000_000);
  private final AVRational timeBase = new AVRational();
  private long firstPts = AV_NOPTS_VALUE;
  private long lastMicros;
  private OptionalLong clockMinusPts = OptionalLong.empty();
  private long damaged;
  private boolean drained;
  private boolean closed;

  /**
   * Opens what the policy says.
   *
   * @throws IOException when it cannot be opened, has no video, or uses a codec that is not built
   *     in; the message shows no credentials
   */
  VideoDecoder(MediaPolicy policy, Stopping stopping) throws IOException {
    name = policy.name();
    input = new VideoInput(policy, new Patience(stopping));
    AVStream stream = input.stream();
    timeBase.num(stream.time_base().num()).den(stream.time_base().den());
    int codecId = stream.codecpar().codec_id();
    AVCodec decoder = avcodec_find_decoder(codecId);
    codec = decoder == null ? new AVCodecContext(null) : avcodec_alloc_context3(decoder);
    try {
      if (decoder == null) {
        throw new IOException(
            "%s is coded as %s, which is not built in; convert it to H.264"
                .formatted(name, avcodec_get_name(codecId).getString()));
      }
      codec.thread_count(1).max_pixels(MAX_PIXELS).pkt_timebase(stream.time_base());
      require(
          avcodec_parameters_to_context(codec, stream.codecpar()),
          "%s: codec".formatted(name),
          policy.hint());
      require(
          avcodec_open2(codec, decoder, (AVDictionary) null),
          "%s: the decoder does not start".formatted(name),
          policy.hint());
    } catch (IOException | RuntimeException e) {
      close();
      throw e;
    }
  }

  /**
   * A frame that stays valid until the next call.
   *
   * @param offsetMicros since the first frame; of a camera it may jump, also back
   * @param cameraMicros by the camera's own clock (RTCP sender reports), microseconds since the
   *     epoch; empty when it does not tell
   */
  record Decoded(long offsetMicros, OptionalLong cameraMicros, AVFrame frame) {}

  /**
   * The next frame, or empty at the end.
   *
   * @throws IOException when reading stops; of a camera also when no frame comes in time
   */
  Optional<Decoded> next() throws IOException {
    input.patience().begin(input.policy().frameLimit());
    while (true) {
      int got = avcodec_receive_frame(codec, frame);
      if (got == 0) {
        return Optional.of(decoded());
      }
      if (got == AVERROR_EOF) {
        return Optional.empty();
      }
      if (got == AVERROR_INVALIDDATA) {
        damaged++;
      } else if (got != AVERROR_EAGAIN()) {
        throw failure(reason(got));
      }
      feed();
    }
  }

  /** Packets that the decoder refused; the frames they held are missing. */
  long damagedPackets() {
    return damaged;
  }

  /** Whether its whole length is known: a recording, and no live camera. */
  boolean hasEnd() {
    return input.hasEnd();
  }

  /** What the decoder calls the codec, such as {@code h264}. */
  String codecName() {
    return avcodec_get_name(codec.codec_id()).getString();
  }

  /** The byte that the index of a file reaches to; 0 without an index. */
  long indexedBytes() {
    return input.indexedBytes();
  }

  private void feed() throws IOException {
    if (drained) {
      return;
    }
    Optional<AVPacket> packet = readPacket();
    drained = packet.isEmpty();
    if (drained) {
      checkSent(avcodec_send_packet(codec, null));
    } else {
      noteClock(packet.get());
      checkSent(avcodec_send_packet(codec, packet.get()));
    }
  }

  private Optional<AVPacket> readPacket() throws IOException {
    try {
      return input.read();
    } catch (VideoInput.ReadException e) {
      throw failure(
          e.getMessage() + (damaged > 0 ? ", %d packets refused".formatted(damaged) : ""));
    }
  }

  /** A camera's sender reports tie its time stamps to its clock. */
  private void noteClock(AVPacket packet) {
    if (!input.policy().live() || packet.pts() == AV_NOPTS_VALUE) {
      return;
    }
    try (SizeTPointer size = new SizeTPointer(1)) {
      BytePointer data = av_packet_get_side_data(packet, AV_PKT_DATA_PRFT, size);
      if (data != null && !data.isNull()) {
        long clock = new AVProducerReferenceTime(data).wallclock();
        noteClock(clock - av_rescale_q(packet.pts(), timeBase, micros));
      }
    }
  }

  /**
   * FFmpeg's parser hands a packet the report of the next one, so with B-frames the two differ by
   * some frames to and fro; their mean is steady, and follows a clock that drifts or is set.
   */
  private void noteClock(long sample) {
    long known = clockMinusPts.orElse(sample);
    long off = sample - known;
    clockMinusPts =
        OptionalLong.of(Math.abs(off) > CLOCK_SET_MICROS ? sample : known + off / CLOCK_SAMPLES);
  }

  private void checkSent(int sent) throws IOException {
    if (sent == AVERROR_INVALIDDATA) {
      damaged++;
    } else if (sent < 0) {
      throw failure(reason(sent));
    }
  }

  /** A frame without a time stamp keeps that of the frame before. */
  private Decoded decoded() {
    long pts = frame.best_effort_timestamp();
    if (pts == AV_NOPTS_VALUE) {
      return new Decoded(lastMicros, OptionalLong.empty(), frame);
    }
    firstPts = firstPts == AV_NOPTS_VALUE ? pts : firstPts;
    lastMicros = av_rescale_q(pts - firstPts, timeBase, micros);
    long sincePtsZero = av_rescale_q(pts, timeBase, micros);
    return new Decoded(
        lastMicros,
        clockMinusPts.isPresent()
            ? OptionalLong.of(sincePtsZero + clockMinusPts.getAsLong())
            : OptionalLong.empty(),
        frame);
  }

  private IOException failure(String reason) {
    return new IOException(
        "%s: reading stopped at %.3f s: %s; is the %s?"
            .formatted(
                name,
                lastMicros / 1e6,
                reason,
                input.policy().live() ? "camera alive" : "file complete"));
  }

  @Override
  public void close() {
    if (closed) {
      return;
    }
    closed = true;
    av_frame_free(frame);
    if (!codec.isNull()) {
      avcodec_free_context(codec);
    }
    input.close();
    micros.close();
    timeBase.close();
  }
}

// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.camera;

import static io.everwatch.job.camera.FFmpegErrors.reason;
import static io.everwatch.job.camera.FFmpegErrors.require;
import static org.bytedeco.ffmpeg.global.avcodec.av_packet_alloc;
import static org.bytedeco.ffmpeg.global.avcodec.av_packet_free;
import static org.bytedeco.ffmpeg.global.avcodec.av_packet_unref;
import static org.bytedeco.ffmpeg.global.avformat.av_find_best_stream;
import static org.bytedeco.ffmpeg.global.avformat.av_read_frame;
import static org.bytedeco.ffmpeg.global.avformat.avformat_alloc_context;
import static org.bytedeco.ffmpeg.global.avformat.avformat_close_input;
import static org.bytedeco.ffmpeg.global.avformat.avformat_find_stream_info;
import static org.bytedeco.ffmpeg.global.avformat.avformat_index_get_entries_count;
import static org.bytedeco.ffmpeg.global.avformat.avformat_index_get_entry;
import static org.bytedeco.ffmpeg.global.avformat.avformat_open_input;
import static org.bytedeco.ffmpeg.global.avutil.AVERROR_EIO;
import static org.bytedeco.ffmpeg.global.avutil.AVERROR_EOF;
import static org.bytedeco.ffmpeg.global.avutil.AVERROR_EXIT;
import static org.bytedeco.ffmpeg.global.avutil.AVERROR_HTTP_OTHER_4XX;
import static org.bytedeco.ffmpeg.global.avutil.AVMEDIA_TYPE_VIDEO;
import static org.bytedeco.ffmpeg.global.avutil.AV_LOG_QUIET;
import static org.bytedeco.ffmpeg.global.avutil.AV_NOPTS_VALUE;
import static org.bytedeco.ffmpeg.global.avutil.av_dict_free;
import static org.bytedeco.ffmpeg.global.avutil.av_dict_set;
import static org.bytedeco.ffmpeg.global.avutil.av_log_set_level;

import java.io.IOException;
import java.util.Optional;
import org.bytedeco.ffmpeg.avcodec.AVCodec;
import org.bytedeco.ffmpeg.avcodec.AVPacket;
import org.bytedeco.ffmpeg.avformat.AVFormatContext;
import org.bytedeco.ffmpeg.avformat.AVIndexEntry;
import org.bytedeco.ffmpeg.avformat.AVInputFormat;
import org.bytedeco.ffmpeg.avformat.AVStream;
import org.bytedeco.ffmpeg.avutil.AVDictionary;

/** The packets of a video track, out of a file or from a camera, as a policy allows. */
final class VideoInput implements AutoCloseable {
  static {
    // failures reach the caller as exceptions; the library would write them to stderr besides
    av_log_set_level(AV_LOG_QUIET);
  }

  private final MediaPolicy policy;
  private final Patience patience;
  private final AVFormatContext container;
  private final AVPacket packet = av_packet_alloc();
  private int track = -1;

  /**
   * @throws IOException when it cannot be opened or has no video; shows no credentials
   */
  VideoInput(MediaPolicy policy, Patience patience) throws IOException {
    this.policy = policy;
    this.patience = patience;
    container = avformat_alloc_context();
    Patience.guard(container);
    try {
      patience.begin(policy.openLimit());
      open();
    } catch (IOException | RuntimeException e) {
      close();
      throw e;
    }
  }

  private void open() throws IOException {
    String noVideo = policy.live() ? "%s cannot be watched" : "%s is not a video";
    requireInTime(patience.call(this::openContainer), noVideo.formatted(policy.name()));
    if (policy.probed() || !headerNamesCodec()) {
      requireInTime(
          patience.call(() -> avformat_find_stream_info(container, (AVDictionary) null)),
          "%s has no readable header".formatted(policy.name()));
    }
    track =
        require(
            av_find_best_stream(container, AVMEDIA_TYPE_VIDEO, -1, -1, (AVCodec) null, 0),
            "%s has no video track".formatted(policy.name()),
            policy.hint());
  }

  private int openContainer() {
    AVDictionary options = new AVDictionary(null);
    try {
      policy.options().forEach((key, value) -> av_dict_set(options, key, value, 0));
      av_dict_set(options, "protocol_whitelist", policy.protocols(), 0);
      av_dict_set(options, "format_whitelist", policy.formats(), 0);
      return avformat_open_input(container, policy.url(), (AVInputFormat) null, options);
    } finally {
      av_dict_free(options);
    }
  }

  /** Without looking at frames, which a camera that sends one an hour would make us wait for. */
  private boolean headerNamesCodec() {
    for (int i = 0; i < container.nb_streams(); i++) {
      if (container.streams(i).codecpar().codec_id() == 0) {
        return false;
      }
    }
    return true;
  }

  private void requireInTime(int code, String what) throws IOException {
    if (code < 0 && patience.lost()) {
      throw new IOException(
          "%s (no answer within %s); %s"
              .formatted(
                  what,
                  policy.openLimit().map(MediaPolicy::seconds).orElse("its time"),
                  policy.hint()));
    }
    if (code == AVERROR_HTTP_OTHER_4XX() && policy.live()) {
      // what RTSP servers say when none of their tracks is wanted
      throw new IOException(
          "%s (it has no video track, or refuses to send it); %s".formatted(what, policy.hint()));
    }
    if (code == AVERROR_EIO() && policy.live()) {
      // what FFmpeg says of a redirection beyond its eighth as well
      throw new IOException(
          "%s (the connection broke, or it redirects without end); %s"
              .formatted(what, policy.hint()));
    }
    require(code, what, policy.hint());
  }

  AVStream stream() {
    return container.streams(track);
  }

  /** Whether the whole length is known: a recording, and no live camera. */
  boolean hasEnd() {
    return container.duration() != AV_NOPTS_VALUE;
  }

  /** Where the packets come from. */
  MediaPolicy policy() {
    return policy;
  }

  /** The patience that reading costs. */
  Patience patience() {
    return patience;
  }

  /**
   * The next packet of the track; valid until the next call, which also frees it.
   *
   * @return empty at the end
   * @throws ReadException with FFmpeg's code when it cannot be read on
   */
  Optional<AVPacket> read() throws ReadException {
    while (true) {
      av_packet_unref(packet);
      int read = patience.call(() -> av_read_frame(container, packet));
      if (read == AVERROR_EOF) {
        return Optional.empty();
      }
      if (read < 0) {
        throw new ReadException(read == AVERROR_EXIT() ? "no frame in time" : reason(read));
      }
      if (packet.stream_index() == track) {
        return Optional.of(packet);
      }
    }
  }

  /** Reading failed; the message is the bare reason. */
  static final class ReadException extends IOException {
    private static final long serialVersionUID = 1;

    ReadException(String reason) {
      super(reason);
    }
  }

  /** The byte that the index of a file reaches to; 0 without an index. */
  long indexedBytes() {
    AVStream stream = stream();
    long end = 0;
    for (int i = avformat_index_get_entries_count(stream) - 1; i >= 0; i--) {
      AVIndexEntry entry = avformat_index_get_entry(stream, i);
      end = Math.max(end, entry.pos() + entry.size());
    }
    return end;
  }

  @Override
  public void close() {
    av_packet_free(packet);
    if (!container.isNull()) {
      // saying goodbye to a camera that is gone must not take longer than asking it did
      patience.begin(policy.live() ? Optional.of(MediaPolicy.GOODBYE) : Optional.empty());
      patience.call(
          () -> {
            avformat_close_input(container);
            return 0;
          });
    }
  }
}

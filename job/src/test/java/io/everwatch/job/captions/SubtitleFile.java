// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.captions;

import static org.assertj.core.api.Assertions.assertThat;
import static org.bytedeco.ffmpeg.global.avcodec.av_packet_alloc;
import static org.bytedeco.ffmpeg.global.avcodec.av_packet_free;
import static org.bytedeco.ffmpeg.global.avcodec.av_packet_unref;
import static org.bytedeco.ffmpeg.global.avcodec.avcodec_alloc_context3;
import static org.bytedeco.ffmpeg.global.avcodec.avcodec_decode_subtitle2;
import static org.bytedeco.ffmpeg.global.avcodec.avcodec_find_decoder;
import static org.bytedeco.ffmpeg.global.avcodec.avcodec_free_context;
import static org.bytedeco.ffmpeg.global.avcodec.avcodec_open2;
import static org.bytedeco.ffmpeg.global.avcodec.avcodec_parameters_to_context;
import static org.bytedeco.ffmpeg.global.avcodec.avsubtitle_free;
import static org.bytedeco.ffmpeg.global.avformat.av_read_frame;
import static org.bytedeco.ffmpeg.global.avformat.avformat_close_input;
import static org.bytedeco.ffmpeg.global.avformat.avformat_open_input;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.ffmpeg.avcodec.AVCodecContext;
import org.bytedeco.ffmpeg.avcodec.AVPacket;
import org.bytedeco.ffmpeg.avcodec.AVSubtitle;
import org.bytedeco.ffmpeg.avformat.AVFormatContext;
import org.bytedeco.ffmpeg.avutil.AVDictionary;

/** Subtitles as FFmpeg reads them, which knows nothing of how they were written. */
public final class SubtitleFile {
  /** Times in milliseconds; lines of the text are separated by {@code \n}. */
  public record Cue(long from, long to, String text) {}

  private SubtitleFile() {}

  /** All cues, in the order of the file. */
  public static List<Cue> read(Path file) {
    AVFormatContext input = new AVFormatContext(null);
    assertThat(avformat_open_input(input, file.toString(), null, (AVDictionary) null))
        .as("FFmpeg opens %s", file)
        .isZero();
    AVCodecContext decoder =
        avcodec_alloc_context3(avcodec_find_decoder(input.streams(0).codecpar().codec_id()));
    AVPacket packet = av_packet_alloc();
    List<Cue> cues = new ArrayList<>();
    try {
      avcodec_parameters_to_context(decoder, input.streams(0).codecpar());
      decoder.pkt_timebase(input.streams(0).time_base());
      assertThat(avcodec_open2(decoder, decoder.codec(), (AVDictionary) null)).isZero();
      assertThat(input.streams(0).time_base().den()).isEqualTo(1000);
      while (av_read_frame(input, packet) >= 0) {
        cues.add(new Cue(packet.pts(), packet.pts() + packet.duration(), text(decoder, packet)));
        av_packet_unref(packet);
      }
    } finally {
      av_packet_free(packet);
      avcodec_free_context(decoder);
      avformat_close_input(input);
    }
    return cues;
  }

  private static String text(AVCodecContext decoder, AVPacket packet) {
    try (AVSubtitle subtitle = new AVSubtitle()) {
      int[] found = {0};
      assertThat(avcodec_decode_subtitle2(decoder, subtitle, found, packet)).isNotNegative();
      assertThat(subtitle.num_rects()).isEqualTo(1);
      String line = subtitle.rects(0).ass().getString(StandardCharsets.UTF_8);
      avsubtitle_free(subtitle);
      // ReadOrder, Layer, Style, Name, three margins, Effect, Text; with the escapes of ASS
      return line.split(",", 9)[8]
          .replace("\\N", "\n")
          .replace("\\{{}", "{")
          .replace("\\\u2060", "\\");
    }
  }
}

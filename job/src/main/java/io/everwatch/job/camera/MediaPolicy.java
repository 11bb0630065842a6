// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.camera;

import java.math.BigDecimal;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * What FFmpeg opens, and what it may touch while it does: what comes from a camera or stands in a
 * file can name other places, and none but these is followed.
 *
 * @param url as FFmpeg takes it, credentials and all
 * @param name for messages, without credentials
 * @param protocols that may be used, with commas between
 * @param formats that may be read
 * @param options of FFmpeg besides these
 * @param live whether it is a camera and no file
 * @param probed whether the first frames are looked at to find out what they are; else the header
 *     must say so, and nothing is waited for
 * @param openLimit until it is open; empty = without end
 * @param frameLimit until the next frame
 * @param hint what was expected and what to do, for messages
 */
record MediaPolicy(
    String url,
    String name,
    Redaction redaction,
    String protocols,
    String formats,
    Map<String, String> options,
    boolean live,
    boolean probed,
    Optional<Duration> openLimit,
    Optional<Duration> frameLimit,
    String hint) {
  /** Containers that hold their frames themselves; sound only for the sake of the message. */
  private static final String CONTAINERS =
      "mov,matroska,avi,mpegts,mpeg,mpegvideo,flv,ogg,asf,mxf,gxf,nut,ivf,gif,apng,mjpeg,h264,hevc,"
          + "m4v,vc1,av1,obu,h263,dv,rm,yuv4mpegpipe,wav,mp3,aac,flac";

  private static final String HLS_CONTAINERS = "hls,mpegts,mov,aac,mp3,ac3,eac3,webvtt";
  private static final String MOTION_JPEG = "mpjpeg,mjpeg,jpeg_pipe";

  private static final String UNKNOWN_CERTIFICATE =
      " A camera that signed its certificate itself needs --tls-ca with that certificate, or any";

  /** What closing a connection may take. */
  static final Duration GOODBYE = Duration.ofSeconds(2);

  /** Enough to meet a key frame of most cameras; the decoder finds the rest by itself. */
  private static final String PROBED_MICROS = "2000000";

  /**
   * A file and never another one: without "file:" a name with a colon would be taken for a
   * protocol, and play lists, which look like any file, may name what they like.
   */
  static MediaPolicy file(Path file) {
    return new MediaPolicy(
        "file:" + file,
        file.toString(),
        new Redaction(List.of()),
        "file",
        CONTAINERS,
        Map.of(),
        false,
        true,
        Optional.empty(),
        Optional.empty(),
        "expected a video file such as H.264 in MP4; does it play elsewhere?");
  }

  /** A camera, which never opens a file. */
  static MediaPolicy camera(CameraAddress address, LiveOptions live) {
    Map<String, String> options = new HashMap<>();
    live.tlsAuthorities()
        .ifPresent(
            file -> {
              options.put("tls_verify", "1");
              options.put("ca_file", file.toString());
            });
    boolean tls = address.encrypted();
    return switch (address.kind()) {
      case RTSP -> {
        options.put("rtsp_transport", live.transport().name().toLowerCase(Locale.ROOT));
        options.put("allowed_media_types", "video");
        yield of(
            address, live, tls ? "tls,tcp,rtp,srtp,udp" : "tcp,rtp,udp", "rtsp", options, false);
      }
      case HLS -> {
        options.put("live_start_index", "-1"); // the newest segment
        options.put("m3u8_hold_counters", String.valueOf(Integer.MAX_VALUE)); // frameLimit decides
        options.put("analyzeduration", PROBED_MICROS);
        yield of(address, live, "http,https,tls,tcp,crypto", HLS_CONTAINERS, options, true);
      }
      case MJPEG ->
          of(address, live, tls ? "https,tls,tcp" : "http,tcp", MOTION_JPEG, options, false);
      case STANDARD_INPUT ->
          new MediaPolicy(
              "pipe:0",
              address.toString(),
              address.redaction(),
              "pipe",
              MOTION_JPEG,
              Map.of(),
              true,
              false,
              Optional.empty(),
              Optional.empty(),
              "expected JPEG pictures one after the other, such as of ffmpeg -f mjpeg -");
    };
  }

  private static MediaPolicy of(
      CameraAddress address,
      LiveOptions live,
      String protocols,
      String formats,
      Map<String, String> options,
      boolean probed) {
    return new MediaPolicy(
        address.url(),
        address.toString(),
        address.redaction(),
        protocols,
        formats,
        Map.copyOf(options),
        true,
        probed,
        Optional.of(live.openLimit()),
        Optional.of(live.frameLimit()),
        switch (address.kind()) {
              case RTSP ->
                  "expected RTSP with a video track; are address, user and password right?";
              case HLS -> "expected an HLS play list with video; does it play elsewhere?";
              default ->
                  "expected Motion JPEG (multipart/x-mixed-replace); does the address play elsewhere?";
            }
            + (options.containsKey("ca_file") ? UNKNOWN_CERTIFICATE : ""));
  }

  /** For messages: {@code 10 s}, {@code 0.25 s}. */
  static String seconds(Duration limit) {
    return BigDecimal.valueOf(limit.toMillis(), 3).stripTrailingZeros().toPlainString() + " s";
  }

  /** Hides the credentials. */
  @Override
  public String toString() {
    return name;
  }
}

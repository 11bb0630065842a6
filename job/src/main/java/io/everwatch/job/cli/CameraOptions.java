// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.cli;

import io.everwatch.job.camera.Given;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Option;

/**
 * What is said of one camera on the command line, under the names of docs/cameras.md; a mix-in. The
 * order of the help is given, since that of methods is anyone's guess.
 */
final class CameraOptions {
  private final Map<String, Given> given = new LinkedHashMap<>();
  private final List<String> masks = new ArrayList<>();

  /** By name, as they were written. */
  Map<String, Given> given() {
    Map<String, Given> all = new LinkedHashMap<>(given);
    if (!masks.isEmpty()) {
      all.put("masks", new Given(masks, "--mask"));
    }
    return all;
  }

  private void give(String name, String text) {
    given.put(name, Given.of(text, "--" + name));
  }

  @Option(
      order = -30,
      names = "--input",
      paramLabel = "ADDRESS|FILE|DIR|SCENE",
      description = {
        "A live camera: rtsp://…, rtsps://…, http(s)://….m3u8 (HLS), any other http(s)://… (Motion JPEG),",
        "or - for JPEG pictures on standard input. Played: a video (H.264 in MP4 and others), a folder of",
        "PNG and JPEG files in the order of their names, scene:road[?seed=N&density=X&count=cars|buses|bikes],",
        "or scene:door[?seed=N&density=X&count=bags|parcels&size=WxH&fps=N",
        "&conditions=dusk|night+post|tree+shake+noise]."
      })
  void input(String text) {
    give("input", text);
  }

  @Option(order = -29, names = "--stream", paramLabel = "ID", description = "The stream's ID.")
  void stream(String text) {
    give("stream", text);
  }

  @Option(
      order = -28,
      names = "--fps",
      paramLabel = "N",
      description =
          "Send at most N frames a second (default: live cameras 2, videos all). Of a folder: its rate (default 2).")
  void fps(String text) {
    give("fps", text);
  }

  @Option(
      order = -27,
      names = "--encoding",
      paramLabel = "png|jpeg",
      description = "How frames are packed (default: scenes png, the rest jpeg).")
  void encoding(String text) {
    give("encoding", text);
  }

  @Option(
      order = -26,
      names = "--max-size",
      paramLabel = "WxH",
      description =
          "Shrink pictures to fit, never enlarge them (default: live cameras 1280x720, videos as they are). The"
              + " model shrinks further by itself.")
  void maxSize(String text) {
    give("max-size", text);
  }

  @Option(
      order = -25,
      names = "--quality",
      paramLabel = "1-100",
      description = "Quality of JPEG (default: 92).")
  void quality(String text) {
    give("quality", text);
  }

  @Option(
      order = -24,
      names = "--mask",
      paramLabel = "SHAPE",
      description =
          "Blacken a region before anything else sees it; repeatable. LEFT,TOP,WIDTHxHEIGHT or 'X,Y X,Y X,Y …' in"
              + " fractions, or in pixels of a size: '100,50,200x80 of 1280x720'.")
  void mask(String text) {
    masks.add(text);
  }

  @Option(
      order = -23,
      names = "--duration",
      paramLabel = "T",
      description = "End after so much of the source's time, such as 90s or 5min.")
  void duration(String text) {
    give("duration", text);
  }

  @Option(
      order = -22,
      names = "--time",
      paramLabel = "arrival|camera",
      description =
          "Capture times of a live camera (default: arrival). camera: its own clock as RTSP's sender reports tell"
              + " it; without them the first frame's arrival and from there on its time stamps.")
  void time(String text) {
    give("time", text);
  }

  @Option(
      order = -21,
      names = "--rtsp-transport",
      paramLabel = "tcp|udp",
      description = "How RTSP sends pictures (default: tcp).")
  void rtspTransport(String text) {
    give("rtsp-transport", text);
  }

  @Option(
      order = -20,
      names = "--user",
      paramLabel = "NAME",
      description =
          "Of a live camera, with --password-file; instead of user:password@ in the address.")
  void user(String text) {
    give("user", text);
  }

  @Option(
      order = -19,
      names = "--password-file",
      paramLabel = "FILE",
      description = "Its first line is the password; other users then do not see it.")
  void passwordFile(String text) {
    give("password-file", text);
  }

  @Option(
      order = -18,
      names = "--tls-ca",
      paramLabel = "system|any|PEM",
      description =
          "Who must vouch for a camera of rtsps:// or https://: an authority of this system (the default), one of"
              + " these certificates, or nobody (any).")
  void tlsCa(String text) {
    give("tls-ca", text);
  }

  @Option(
      order = -17,
      names = "--open-timeout",
      paramLabel = "T",
      description = "For a connection to stand (default: 10s).")
  void openTimeout(String text) {
    give("open-timeout", text);
  }

  @Option(
      order = -16,
      names = "--frame-timeout",
      paramLabel = "T",
      description =
          "A camera that sends no frame for so long is lost (default: 30s); longer for one that sends few.")
  void frameTimeout(String text) {
    give("frame-timeout", text);
  }

  @Option(
      order = -15,
      names = "--retry-first",
      paramLabel = "T",
      description = "Wait before a lost camera is tried again, doubled each time (default: 1s).")
  void retryFirst(String text) {
    give("retry-first", text);
  }

  @Option(
      order = -14,
      names = "--retry-longest",
      paramLabel = "T",
      description = "Longest such wait (default: 30s).")
  void retryLongest(String text) {
    give("retry-longest", text);
  }

  @Option(
      order = -13,
      names = "--attempts",
      paramLabel = "N",
      description = "Give a lost camera up after N attempts (default: never).")
  void attempts(String text) {
    give("attempts", text);
  }

  @Option(
      order = -12,
      names = "--queue",
      paramLabel = "N",
      description =
          "Frames of a live camera that wait for a slow broker; then the oldest goes (default: 64).")
  void queue(String text) {
    give("queue", text);
  }
}

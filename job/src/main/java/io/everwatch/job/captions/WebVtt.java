// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.captions;

import java.util.List;
import java.util.stream.Collectors;

/** W3C WebVTT. */
final class WebVtt implements SubtitleForm {
  @Override
  public String header() {
    return "WEBVTT\n\n";
  }

  @Override
  public String cue(long number, long fromMicros, long toMicros, List<String> lines) {
    return CaptionClock.elapsed(fromMicros)
        + " --> "
        + CaptionClock.elapsed(toMicros)
        + "\n"
        + lines.stream().map(WebVtt::escaped).collect(Collectors.joining("\n"))
        + "\n\n";
  }

  @Override
  public String note(String text) {
    return "NOTE " + escaped(text).strip() + "\n\n";
  }

  /** No tag, no reference, and no arrow, which would begin another cue. */
  private static String escaped(String text) {
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;");
  }
}

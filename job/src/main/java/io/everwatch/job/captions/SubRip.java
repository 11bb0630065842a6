// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.captions;

import java.util.List;
import java.util.stream.Collectors;

/**
 * SubRip ({@code .srt}). It has no escapes, and players take {@code <i>} and {@code {\\an8}} for
 * orders: such brackets become others that look alike.
 */
final class SubRip implements SubtitleForm {
  @Override
  public String header() {
    return "";
  }

  @Override
  public String cue(long number, long fromMicros, long toMicros, List<String> lines) {
    return number
        + "\n"
        + time(fromMicros)
        + " --> "
        + time(toMicros)
        + "\n"
        + lines.stream().map(SubRip::harmless).collect(Collectors.joining("\n"))
        + "\n\n";
  }

  @Override
  public String note(String text) {
    return "";
  }

  private static String time(long micros) {
    return CaptionClock.elapsed(micros).replace('.', ',');
  }

  private static String harmless(String text) {
    return text.replace('<', '\u2039')
        .replace('>', '\u203a')
        .replace('{', '(')
        .replace('}', ')')
        .replace('\\', '\u2216'); // some take it for the beginning of an order
  }
}

// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.captions;

import io.everwatch.schemas.avro.MergedRange;
import io.everwatch.schemas.avro.TextEvent;
import java.io.PrintWriter;
import java.util.Locale;

/**
 * {@code 00:00:12.000 camera-1 A red bus stops.}; silence is {@code ...}, and what was looked at
 * together with the next is {@code ..}.
 */
final class TextLines implements CaptionWriter {
  private final PrintWriter out;
  private final CaptionClock clock;

  TextLines(PrintWriter out, CaptionClock clock) {
    this.out = out;
    this.clock = clock;
  }

  @Override
  public void write(TextEvent event) {
    out.println(
        "%s  %s  %s"
            .formatted(
                clock.show(event.getStartMicros()), printable(event.getStreamId()), words(event)));
  }

  private static String words(TextEvent event) {
    String text = printable(event.getText()).strip();
    return switch (event.getKind()) {
      case COMMENT, ANSWER, ALERT -> text;
      case SILENCE -> {
        MergedRange merged = event.getMerged();
        yield merged != null && event.getChunk() < merged.getLastChunk() ? ".." : "...";
      }
      case GAP ->
          "[no frames for %.1f s]".formatted((event.getEndMicros() - event.getStartMicros()) / 1e6);
      case STALE, NOTICE, ERROR, ENDED, UNKNOWN -> {
        String kind = event.getKind().name().toLowerCase(Locale.ROOT);
        yield text.isEmpty() ? "[" + kind + "]" : "[" + kind + ": " + text + "]";
      }
    };
  }

  /** A model can be brought to say anything, a camera is called anything: none steers terminals. */
  static String printable(String text) {
    StringBuilder line = new StringBuilder(text.length());
    text.codePoints().map(c -> Character.isISOControl(c) ? ' ' : c).forEach(line::appendCodePoint);
    return line.toString();
  }
}

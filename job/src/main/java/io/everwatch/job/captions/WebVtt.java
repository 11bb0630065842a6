// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.captions;

import io.everwatch.schemas.avro.TextEvent;
import java.io.PrintWriter;

/**
 * W3C WebVTT: what was said as cues, times since the first event; silence has no cue, anything else
 * becomes a note, which players do not show.
 */
final class WebVtt implements CaptionWriter {
  private final PrintWriter out;
  private boolean begun;
  private long originMicros;

  WebVtt(PrintWriter out) {
    this.out = out;
  }

  @Override
  public void write(TextEvent event) {
    if (!begun) {
      begun = true;
      originMicros = event.getStartMicros();
      out.print("WEBVTT\n\n");
    }
    String times =
        CaptionClock.elapsed(event.getStartMicros() - originMicros)
            + " --> "
            + CaptionClock.elapsed(event.getEndMicros() - originMicros);
    switch (event.getKind()) {
      case COMMENT, ANSWER, ALERT -> out.print(times + "\n" + escaped(event.getText()) + "\n\n");
      case SILENCE -> {}
      case GAP, STALE, NOTICE, ERROR, ENDED, UNKNOWN ->
          out.print(
              "NOTE %s %s %s"
                  .formatted(times.replace("-->", "to"), event.getKind(), escaped(event.getText()))
                  .stripTrailing()
                  .concat("\n\n"));
    }
  }

  private static String escaped(String text) {
    return TextLines.printable(text)
        .strip()
        .replace("&", "&amp;")
        .replace("<", "&lt;")
        .replace(">", "&gt;");
  }
}

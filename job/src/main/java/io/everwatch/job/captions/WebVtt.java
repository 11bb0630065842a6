// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.captions;

import io.everwatch.schemas.avro.MergedRange;
import io.everwatch.schemas.avro.TextEvent;
import io.everwatch.schemas.avro.TextKind;
import java.io.PrintWriter;

/**
 * W3C WebVTT: what was said as cues, times since the first event; silence has no cue, anything else
 * becomes a note, which players do not show. What was said of several chunks stands over all of
 * them.
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
        CaptionClock.elapsed(from(event) - originMicros)
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

  /** Where the cue begins; not before the first event. */
  private long from(TextEvent event) {
    MergedRange merged = event.getMerged();
    long chunks =
        merged == null || event.getKind() != TextKind.COMMENT
            ? 0
            : event.getChunk() - merged.getFirstChunk();
    long from = event.getStartMicros() - chunks * (event.getEndMicros() - event.getStartMicros());
    return Math.max(from, originMicros);
  }

  private static String escaped(String text) {
    return TextLines.printable(text)
        .strip()
        .replace("&", "&amp;")
        .replace("<", "&lt;")
        .replace(">", "&gt;");
  }
}

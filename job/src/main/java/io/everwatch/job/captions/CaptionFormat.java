// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.captions;

import java.io.PrintWriter;

/** How text events are written. */
public enum CaptionFormat {
  /** One line per event for the terminal, silence included. */
  TEXT,
  /** One event per line, all fields. */
  JSON,
  /** Subtitles; one stream per file. */
  WEBVTT;

  /**
   * A writer of this form.
   *
   * @param clock how a capture time in microseconds is shown by {@link #TEXT}
   */
  public CaptionWriter writer(PrintWriter out, CaptionClock clock) {
    return switch (this) {
      case TEXT -> new TextLines(out, clock);
      case JSON -> event -> out.println(TextEventJson.line(event));
      case WEBVTT -> new WebVtt(out);
    };
  }
}

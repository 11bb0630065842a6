// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.captions;

import java.io.PrintWriter;
import java.time.Duration;
import java.util.Locale;

/** How text events are written. */
public enum CaptionFormat {
  /** One line per event for the terminal, silence included. */
  TEXT("txt"),
  /** One event per line, all fields. */
  JSON("jsonl"),
  /** W3C WebVTT; one stream per file. */
  WEBVTT("vtt"),
  /** SubRip; one stream per file. */
  SRT("srt");

  /** How long a comment may stay on the screen after its chunk, unless something else is said. */
  public static final Duration HOLD = Duration.ofSeconds(4);

  private final String extension;

  CaptionFormat(String extension) {
    this.extension = extension;
  }

  /**
   * Reads {@code text}, {@code json}, {@code webvtt} or {@code vtt}, {@code srt}.
   *
   * @throws IllegalArgumentException when it is none of them
   */
  public static CaptionFormat parse(String name) {
    return switch (name.toLowerCase(Locale.ROOT)) {
      case "text" -> TEXT;
      case "json" -> JSON;
      case "webvtt", "vtt" -> WEBVTT;
      case "srt" -> SRT;
      default ->
          throw new IllegalArgumentException(
              "'%s' is no format; expected text, json, webvtt (or vtt) or srt".formatted(name));
    };
  }

  /** What names of such files end with. */
  public String extension() {
    return extension;
  }

  /** Whether a file holds one stream. */
  public boolean ofOneStream() {
    return this == WEBVTT || this == SRT;
  }

  /**
   * A writer of this form that keeps nothing back; subtitles begin with the first event.
   *
   * @param clock how a capture time in microseconds is shown by {@link #TEXT}
   */
  public CaptionWriter writer(PrintWriter out, CaptionClock clock) {
    return writer(out, clock, CaptionTimeline.sinceFirstEvent(), Duration.ZERO);
  }

  /**
   * A writer of this form; the caller says {@link CaptionWriter#finish} at the end.
   *
   * @param clock how a capture time in microseconds is shown by {@link #TEXT}
   * @param timeline of subtitles; of no other writer
   * @param hold how long a comment may stay after its chunk, in subtitles
   */
  public CaptionWriter writer(
      PrintWriter out, CaptionClock clock, CaptionTimeline timeline, Duration hold) {
    return switch (this) {
      case TEXT -> new TextLines(out, clock);
      case JSON -> event -> out.println(TextEventJson.line(event));
      case WEBVTT -> new Subtitles(out, new WebVtt(), timeline, hold);
      case SRT -> new Subtitles(out, new SubRip(), timeline, hold);
    };
  }
}

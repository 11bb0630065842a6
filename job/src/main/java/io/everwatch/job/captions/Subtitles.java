// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.captions;

import io.everwatch.schemas.avro.MergedRange;
import io.everwatch.schemas.avro.TextEvent;
import io.everwatch.schemas.avro.TextKind;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What was said of one stream as subtitles. A comment stands over its chunk, of several chunks that
 * were looked at together over all of them, and stays for a while until something else is said;
 * said again, it stays on. Silence shows nothing, and nothing stays over a gap; what else there is
 * becomes a note.
 */
final class Subtitles implements CaptionWriter {
  private static final int LINE_WIDTH = 42;

  private record Cue(long from, long to, String text) {}

  private final PrintWriter out;
  private final SubtitleForm form;
  private final CaptionTimeline timeline;
  private final long holdMicros;
  private final List<String> notes = new ArrayList<>();
  private @Nullable Cue open;
  private boolean begun;
  private long cues;

  /**
   * @param hold how long a comment may stay after its chunk; zero: each is written at once
   */
  Subtitles(PrintWriter out, SubtitleForm form, CaptionTimeline timeline, Duration hold) {
    this.out = out;
    this.form = form;
    this.timeline = timeline;
    this.holdMicros = hold.toNanos() / 1000;
  }

  @Override
  public void write(TextEvent event) {
    begin();
    timeline.follow(event);
    long from = timeline.at(begins(event));
    long to = timeline.at(event.getEndMicros());
    String text = TextLines.printable(event.getText()).strip();
    switch (event.getKind()) {
      case COMMENT, ANSWER, ALERT -> {
        if (text.isEmpty()) {
          silence(to);
        } else {
          say(from, to, text);
        }
      }
      case SILENCE -> silence(to);
      case GAP, ENDED -> {
        close(from);
        note(event, from, to, text);
      }
      case STALE, NOTICE, ERROR, UNKNOWN -> {
        silence(from);
        note(event, from, to, text);
      }
    }
  }

  @Override
  public void finish() {
    begin();
    close(Long.MAX_VALUE);
  }

  private void begin() {
    if (!begun) {
      begun = true;
      out.print(form.header());
    }
  }

  private void say(long from, long to, String text) {
    Cue before = open;
    if (before != null && before.text.equals(text) && from <= before.to + holdMicros) {
      open = new Cue(before.from, to, text);
      return;
    }
    close(from);
    open = new Cue(from, to, text);
    if (holdMicros == 0) {
      close(to);
    }
  }

  /** Nothing was said up to here. */
  private void silence(long to) {
    Cue said = open;
    if (said != null && to >= said.to + holdMicros) {
      close(to);
    }
  }

  /** What stands there stands until here at most. */
  private void close(long latest) {
    Cue said = open;
    if (said != null) {
      long to = Math.min(Math.min(said.to + holdMicros, latest), timeline.end());
      if (to / 1000 > said.from / 1000) {
        out.print(form.cue(++cues, said.from, to, LineBreaks.of(said.text, LINE_WIDTH)));
      }
      open = null;
    }
    notes.forEach(out::print);
    notes.clear();
  }

  /** Behind the cue that is open, so that the file stays in order. */
  private void note(TextEvent event, long from, long to, String text) {
    notes.add(
        form.note(
            "%s to %s %s %s"
                .formatted(
                    CaptionClock.elapsed(from), CaptionClock.elapsed(to), event.getKind(), text)));
    if (open == null) {
      close(from);
    }
  }

  /** Where the cue begins. */
  private static long begins(TextEvent event) {
    MergedRange merged = event.getMerged();
    long chunks =
        merged == null || event.getKind() != TextKind.COMMENT
            ? 0
            : event.getChunk() - merged.getFirstChunk();
    return event.getStartMicros() - chunks * (event.getEndMicros() - event.getStartMicros());
  }
}

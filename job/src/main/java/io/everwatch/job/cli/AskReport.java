// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.cli;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.everwatch.job.captions.CaptionClock;
import io.everwatch.job.captions.CaptionFormat;
import io.everwatch.job.offline.RecordingQuestion;
import java.io.PrintWriter;
import java.util.Locale;

/** Says on stderr how far a question is, and what was answered on stdout. */
final class AskReport implements RecordingQuestion.Listener {
  private static final long PROGRESS_NANOS = 5_000_000_000L;

  private final PrintWriter out;
  private final PrintWriter err;
  private long said = System.nanoTime();

  AskReport(PrintWriter out, PrintWriter err) {
    this.out = out;
    this.err = err;
  }

  @Override
  public void counted(long chunks, long endMicros) {
    progress("counted %,d chunks, up to %s".formatted(chunks, CaptionClock.elapsed(endMicros)));
  }

  @Override
  public void leftOut(long fromMicros, long toMicros, long chunks) {
    tell(
        "left out: %s to %s, %,d chunks"
            .formatted(CaptionClock.elapsed(fromMicros), CaptionClock.elapsed(toMicros), chunks));
  }

  @Override
  public void looked(long chunks, long of, long endMicros, int rows) {
    progress(
        "looked at %,d of %,d chunks, up to %s (%,d rows)"
            .formatted(chunks, of, CaptionClock.elapsed(endMicros), rows));
  }

  @Override
  public void problem(String line) {
    tell("everwatch: " + line);
  }

  void answered(
      String question, RecordingQuestion.Answer answer, double seconds, CaptionFormat format) {
    if (format == CaptionFormat.JSON) {
      ObjectNode json = JsonNodeFactory.instance.objectNode();
      json.put("question", question)
          .put("answer", answer.text())
          .put("tokens", answer.tokens())
          .put("stop", answer.stop().name().toLowerCase(Locale.ROOT))
          .put("chunks", answer.chunks())
          .put("leftOut", answer.leftOut())
          .put("fromMicros", answer.fromMicros())
          .put("toMicros", answer.toMicros())
          .put("rows", answer.rows())
          .put("seconds", Math.round(seconds * 1e3) / 1e3);
      out.println(json);
    } else {
      out.println(answer.text());
    }
    out.flush();
    tell(
        "%s%,d chunks looked at, %,d left out, %,d rows, %.1f s"
            .formatted(
                answer.text().isEmpty() ? "(the model kept silent) " : "",
                answer.chunks(),
                answer.leftOut(),
                answer.rows(),
                seconds));
  }

  private void progress(String line) {
    if (System.nanoTime() - said >= PROGRESS_NANOS) {
      tell(line);
    }
  }

  private void tell(String line) {
    said = System.nanoTime();
    err.println(line);
    err.flush();
  }
}

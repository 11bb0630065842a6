// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.cli;

import io.everwatch.job.captions.CaptionClock;
import io.everwatch.job.captions.CaptionFormat;
import io.everwatch.job.captions.CaptionWriter;
import io.everwatch.job.demo.DemoOutput;
import io.everwatch.job.demo.DemoSummary;
import io.everwatch.job.demo.Lags.Percentiles;
import io.everwatch.schemas.avro.TextEvent;
import io.everwatch.schemas.avro.TextKind;
import java.io.PrintWriter;
import java.net.URI;
import java.time.ZoneId;
import java.util.Locale;

/** Captions as lines; on a terminal silence is not shown but counted in a line at the bottom. */
final class DemoTerminal implements DemoOutput {
  private static final String CLEAR_LINE = "\r\u001b[K";
  private static final String DIM = "\u001b[2m";
  private static final String PLAIN = "\u001b[0m";

  private final PrintWriter out;
  private final PrintWriter err;
  private final boolean plain;
  private final CaptionWriter captions;
  private long events;
  private String wall = "";

  DemoTerminal(PrintWriter out, PrintWriter err, boolean plain) {
    this.out = out;
    this.err = err;
    this.plain = plain;
    captions = CaptionFormat.TEXT.writer(out, CaptionClock.timeOfDay(ZoneId.systemDefault()));
  }

  @Override
  public synchronized void progress(String line) {
    err.println("everwatch: " + line);
    err.flush();
  }

  @Override
  public synchronized void wall(URI address) {
    wall = "; wall: " + address;
    progress("wall: " + address);
  }

  @Override
  public synchronized void event(TextEvent event, long lagMillis) {
    events++;
    if (plain) {
      captions.write(event);
      out.flush();
      return;
    }
    out.print(CLEAR_LINE);
    if (event.getKind() != TextKind.SILENCE) {
      captions.write(event);
    }
    out.print(
        "%s%d seconds understood, %d ms behind the camera%s; Ctrl-C ends%s"
            .formatted(DIM, events, lagMillis, wall, PLAIN));
    out.flush();
  }

  @Override
  public synchronized void summary(DemoSummary summary) {
    if (!plain) {
      out.print(CLEAR_LINE);
    }
    if (summary.events() == 0) {
      out.printf("%nno event of %d cameras yet%n", summary.cameras());
      out.flush();
      return;
    }
    out.printf(
        Locale.ROOT,
        "%n%d events of %d cameras: %d with words, %d silent, %d gaps, %d errors, %d dead letters;"
            + " %.2f chunks/s, the first after %.1f s%n",
        summary.events(),
        summary.cameras(),
        summary.comments(),
        summary.silences(),
        summary.gaps(),
        summary.errors(),
        summary.deadLetters(),
        summary.chunksPerSecond(),
        summary.firstEventMillis() / 1e3);
    lag("live reader", summary.live());
    lag("committed reader", summary.committed());
    out.flush();
  }

  private void lag(String reader, Percentiles lag) {
    out.printf(
        Locale.ROOT,
        "last frame in to text readable, %-16s  p50 %d ms, p95 %d ms, p99 %d ms (%d events)%n",
        reader + ":",
        lag.p50(),
        lag.p95(),
        lag.p99(),
        lag.count());
  }
}

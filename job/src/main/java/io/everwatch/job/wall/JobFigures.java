// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.wall;

import io.everwatch.schemas.EventHeaders;
import io.everwatch.schemas.avro.DeadLetter;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/** Figures of the whole job over the last quarter of an hour, in slots of 5 s. Thread-safe. */
final class JobFigures {
  static final long SLOT_MILLIS = 5_000;
  private static final int SLOTS = 180;

  /** Rates are those of the last full slots, so that they do not flicker. */
  private static final int RATE_SLOTS = 2;

  private static final int REASONS = 32;
  private static final int RESTARTS = 20;
  private static final int DETAIL = 500;

  /** Tasks of one attempt start within that of each other. */
  private static final long SAME_RESTART_MILLIS = 10_000;

  private final LongSupplier clockMillis;
  private final Deque<Slot> slots = new ArrayDeque<>();
  private final Map<String, Reason> reasons = new LinkedHashMap<>();
  private final Deque<Restart> restarts = new ArrayDeque<>(); // newest first
  private long deadLetters;

  /** Of one span of time. */
  static final class Slot {
    final long startMillis;
    final LagHistogram lags = new LagHistogram();
    final LagHistogram committed = new LagHistogram();
    int texts;
    int frames;
    long bytes;

    private Slot(long startMillis) {
      this.startMillis = startMillis;
    }
  }

  /**
   * Dead letters of one reason.
   *
   * @param lastDetail at most 500 characters of it
   * @param lastStream empty = not known
   */
  record Reason(String reason, long count, long lastMillis, String lastDetail, String lastStream) {}

  /**
   * A restart of the job.
   *
   * @param streams in whose events it was seen
   */
  record Restart(long atMillis, int streams) {}

  /**
   * All of it at one moment.
   *
   * @param slots full ones, oldest first
   */
  record Snapshot(
      double textsPerSecond,
      double framesPerSecond,
      double bytesPerSecond,
      LagHistogram lags,
      LagHistogram committed,
      List<Slot> slots,
      long deadLetters,
      List<Reason> reasons,
      List<Restart> restarts) {}

  JobFigures(LongSupplier clockMillis) {
    this.clockMillis = clockMillis;
  }

  synchronized void said(long millis, long lagMillis) {
    Slot slot = slot(millis);
    if (slot != null) {
      slot.texts++;
      if (lagMillis != EventHeaders.ABSENT) {
        slot.lags.add(lagMillis);
      }
    }
  }

  synchronized void committed(long lagMillis) {
    Slot slot = slot(clockMillis.getAsLong());
    if (slot != null) {
      slot.committed.add(lagMillis);
    }
  }

  synchronized void frame(int bytes) {
    Slot slot = slot(clockMillis.getAsLong());
    if (slot != null) {
      slot.frames++;
      slot.bytes += bytes;
    }
  }

  synchronized void restarted(long atMillis) {
    Restart last = restarts.peekFirst();
    if (last != null && Math.abs(atMillis - last.atMillis()) <= SAME_RESTART_MILLIS) {
      restarts.removeFirst();
      restarts.addFirst(new Restart(last.atMillis(), last.streams() + 1));
      return;
    }
    restarts.addFirst(new Restart(atMillis, 1));
    if (restarts.size() > RESTARTS) {
      restarts.removeLast();
    }
  }

  synchronized void deadLetter(DeadLetter letter, long millis) {
    deadLetters++;
    String name = shortened(letter.getReason());
    String reason = reasons.containsKey(name) || reasons.size() < REASONS ? name : "OTHER";
    Reason before = reasons.get(reason);
    String stream = letter.getStreamId() == null ? "" : letter.getStreamId();
    reasons.put(
        reason,
        new Reason(
            reason,
            before == null ? 1 : before.count() + 1,
            millis,
            shortened(letter.getDetail()),
            shortened(stream)));
  }

  private static String shortened(String text) {
    return text.length() <= DETAIL ? text : text.substring(0, DETAIL - 1) + "…";
  }

  synchronized Snapshot snapshot() {
    Slot current = slot(clockMillis.getAsLong());
    LagHistogram lags = new LagHistogram();
    LagHistogram committed = new LagHistogram();
    List<Slot> full = new ArrayList<>(slots);
    for (Slot slot : full) {
      lags.add(slot.lags);
      committed.add(slot.committed);
    }
    full.remove(current);
    while (!full.isEmpty() && full.get(0).texts == 0 && full.get(0).frames == 0) {
      full.remove(0); // before there was anything
    }
    long texts = 0;
    long frames = 0;
    long bytes = 0;
    for (Slot slot : full.subList(Math.max(0, full.size() - RATE_SLOTS), full.size())) {
      texts += slot.texts;
      frames += slot.frames;
      bytes += slot.bytes;
    }
    double seconds = RATE_SLOTS * SLOT_MILLIS / 1e3;
    return new Snapshot(
        texts / seconds,
        frames / seconds,
        bytes / seconds,
        lags,
        committed,
        full,
        deadLetters,
        List.copyOf(reasons.values()),
        List.copyOf(restarts));
  }

  /** That of a time; null when it is too old, or of a clock that is ahead. */
  private @Nullable Slot slot(long millis) {
    long now = clockMillis.getAsLong() / SLOT_MILLIS * SLOT_MILLIS;
    long wanted = Math.min(millis, now + SLOT_MILLIS - 1) / SLOT_MILLIS * SLOT_MILLIS;
    while (slots.isEmpty() || slots.getLast().startMillis < now) {
      long next = slots.isEmpty() ? now - (SLOTS - 1) * SLOT_MILLIS : slots.getLast().startMillis;
      long start = slots.isEmpty() ? next : next + SLOT_MILLIS;
      if (now - start > SLOTS * SLOT_MILLIS) { // the machine slept
        slots.clear();
        continue;
      }
      slots.add(new Slot(start));
      if (slots.size() > SLOTS) {
        slots.removeFirst();
      }
    }
    for (Iterator<Slot> newest = slots.descendingIterator(); newest.hasNext(); ) {
      Slot slot = newest.next();
      if (slot.startMillis == wanted) {
        return slot;
      }
      if (slot.startMillis < wanted) {
        break;
      }
    }
    return null;
  }
}

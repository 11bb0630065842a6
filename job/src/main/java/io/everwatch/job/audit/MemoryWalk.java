// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.audit;

import io.everwatch.schemas.avro.Mark;
import io.everwatch.schemas.avro.MemoryFigures;
import io.everwatch.schemas.avro.MergedRange;
import io.everwatch.schemas.avro.TextEvent;
import io.everwatch.schemas.avro.TextKind;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What the events of one stream tell of its memory: each round tells of it, what is held is part of
 * what came in, and no round holds more than the one before and what came in with it.
 */
final class MemoryWalk {
  /** Rounds between two events with the text memory itself. */
  private static final int TEXT_EVERY_ROUNDS = 60;

  private @Nullable MemoryFigures before;
  private long beforeRound;

  /** Events of this life tell of the memory: those of earlier releases do not. */
  private boolean told;

  /** A command came since {@link #before}: it may have made the memory begin again. */
  private boolean commanded;

  /** Another life of the stream. */
  void beginAnew() {
    before = null;
    told = false;
    commanded = false;
  }

  /** What is wrong with an event that explains chunks, beside those before. */
  List<String> problems(TextEvent event) {
    List<String> wrong = new ArrayList<>();
    commanded |= !event.getAppliedCommands().isEmpty();
    @Nullable MemoryFigures memory = event.getMemory();
    boolean expected = hasRound(event);
    if (memory == null) {
      if (expected && told) {
        wrong.add(
            "round %d tells of no memory; expected it to, as the rounds before"
                .formatted(event.getRound()));
      }
      return wrong;
    }
    if (!expected) {
      wrong.add(
          "a %s that made no round of its own tells of the memory; expected none"
              .formatted(event.getKind()));
      return wrong;
    }
    inside(event, memory, wrong);
    @Nullable MemoryFigures last = before;
    if (last != null && !commanded) {
      beside(event, last, memory, wrong);
    }
    told = true;
    commanded = false;
    before = memory;
    beforeRound = event.getRound();
    return wrong;
  }

  /** Whether a round ended with this event's chunk. */
  private static boolean hasRound(TextEvent event) {
    @Nullable MergedRange merged = event.getMerged();
    return (event.getKind() == TextKind.COMMENT || event.getKind() == TextKind.SILENCE)
        && event.getRound() >= 0
        && (merged == null || event.getChunk() == merged.getLastChunk());
  }

  private static void inside(TextEvent event, MemoryFigures memory, List<String> wrong) {
    if (memory.getVisionRows() < 0
        || memory.getGeneratedRows() < 0
        || memory.getContextRows() < 0
        || memory.getRestRows() < 0
        || memory.getPosition() < 0
        || memory.getSinkRows() < 0
        || memory.getSinkRows() > memory.getContextRows()) {
      wrong.add(
          "a memory of %d vision, %d generated, %d context (%d of them sink) and %d further rows, the last at position %d; expected none below 0, and no more sink than context"
              .formatted(
                  memory.getVisionRows(),
                  memory.getGeneratedRows(),
                  memory.getContextRows(),
                  memory.getSinkRows(),
                  memory.getRestRows(),
                  memory.getPosition()));
    }
    if (rows(memory) > memory.getComputedRows()) {
      wrong.add(
          "%d rows are held and %d came in; expected at most as many to be held"
              .formatted(rows(memory), memory.getComputedRows()));
    }
    if (memory.getCountedFromRound() < 0 || memory.getCountedFromRound() > event.getRound()) {
      wrong.add(
          "rows are counted from round %d in round %d; expected an earlier one, or the same"
              .formatted(memory.getCountedFromRound(), event.getRound()));
    }
    boolean due = event.getMerged() == null && event.getRound() % TEXT_EVERY_ROUNDS == 0;
    if ((memory.getSink() == null) != (memory.getWindow() == null)
        || (due && memory.getSink() == null)) {
      wrong.add(
          "round %d has %s sink and %s window in words; expected both or none, and both in every %dth round"
              .formatted(
                  event.getRound(),
                  memory.getSink() == null ? "no" : "a",
                  memory.getWindow() == null ? "no" : "a",
                  TEXT_EVERY_ROUNDS));
    }
  }

  /** Rows come in with each round, and those that are held are among them. */
  private void beside(
      TextEvent event, MemoryFigures last, MemoryFigures memory, List<String> wrong) {
    long came = memory.getComputedRows() - last.getComputedRows();
    boolean rebuilt = event.getMarks().contains(Mark.REBUILT); // in another vocabulary, perhaps
    if (event.getRound() <= beforeRound
        || memory.getCountedFromRound() != last.getCountedFromRound()
        || came <= 0
        || (!rebuilt && rows(memory) - rows(last) > came)) {
      wrong.add(
          "round %d holds %d rows of %d since round %d, after round %d with %d of %d since round %d; expected a later round, more rows that came in, and no more to be held than that"
              .formatted(
                  event.getRound(),
                  rows(memory),
                  memory.getComputedRows(),
                  memory.getCountedFromRound(),
                  beforeRound,
                  rows(last),
                  last.getComputedRows(),
                  last.getCountedFromRound()));
    }
  }

  private static long rows(MemoryFigures memory) {
    return (long) memory.getVisionRows()
        + memory.getGeneratedRows()
        + memory.getContextRows()
        + memory.getRestRows();
  }
}

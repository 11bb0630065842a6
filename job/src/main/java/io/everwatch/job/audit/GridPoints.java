// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.audit;

import io.everwatch.operators.model.BadModelException;
import io.everwatch.operators.model.FrameRateChange;
import io.everwatch.schemas.avro.FrameCounts;
import io.everwatch.schemas.avro.TextEvent;
import io.everwatch.schemas.avro.TextKind;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * How many grid points a chunk of a stream's life has: the same in all, but for a command that
 * changes the frame rate. Such a change holds from the first chunk on that had no frame when the
 * command came, which is the chunk of the answer or a little later.
 */
final class GridPoints {
  private static final Pattern ORDERED =
      Pattern.compile("^(?:set|started|started again): (?:.*, )?fps=([^,]+)");

  /** Frame rates that were ordered and not seen yet, as written, oldest first. */
  private final List<String> ordered = new ArrayList<>();

  private Optional<Integer> now = Optional.empty();

  /** Another life of the stream: its rate may be another. */
  void beginAnew() {
    now = Optional.empty();
  }

  /** An event of no chunk: perhaps the answer to a command. */
  void heard(TextEvent event) {
    Matcher order = ORDERED.matcher(event.getText());
    if (event.getKind() == TextKind.NOTICE && order.find()) {
      ordered.add(order.group(1));
    }
  }

  /** What is wrong with the points of an event that explains chunks. */
  Optional<String> problem(TextEvent event) {
    FrameCounts counts = event.getFrames();
    long all = (long) counts.getUsed() + counts.getMissing();
    long chunks = EventRules.lastChunk(event) - event.getChunk() + 1;
    long micros = (event.getEndMicros() - event.getStartMicros()) / Math.max(1, chunks);
    List<Integer> next = ordered.stream().map(fps -> points(fps, micros)).toList();
    if (event.getKind() != TextKind.GAP) {
      return chunk((int) all, next);
    }
    List<Integer> possible = new ArrayList<>(next);
    now.ifPresent(possible::add);
    if (now.isEmpty()
        || (all >= sum(chunks, Collections.min(possible))
            && all <= sum(chunks, Collections.max(possible)))) {
      return Optional.empty();
    }
    return Optional.of("used + missing = " + sum(chunks, now.get()));
  }

  private Optional<String> chunk(int points, List<Integer> next) {
    int change = next.indexOf(points);
    if (now.isEmpty() || now.get() == points) {
      now = Optional.of(points);
    } else if (change >= 0) {
      now = Optional.of(points);
      ordered.subList(0, change + 1).clear();
    } else {
      return Optional.of("used + missing = " + now.get());
    }
    return Optional.empty();
  }

  private static int points(String fps, long chunkMicros) {
    try {
      return FrameRateChange.framesPerChunk(fps, chunkMicros);
    } catch (BadModelException e) {
      return 0; // the interval is wrong, which is told by itself
    }
  }

  /** As a gap counts them, however long it is. */
  private static long sum(long chunks, int points) {
    return Math.min(Math.min(chunks, Integer.MAX_VALUE) * points, Integer.MAX_VALUE);
  }
}

// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.audit;

import io.everwatch.schemas.avro.TextEvent;
import io.everwatch.schemas.avro.TextKind;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * How many grid points the chunks of a stream have: as many as its first chunk, until a command
 * changes its frame rate, from some later chunk on.
 */
final class GridPoints {
  /** The answer to a START or SET that was obeyed. */
  private static final Pattern FRAME_RATE =
      Pattern.compile("(?:set|started|started again): (?:.*, )?fps=.*");

  private Optional<Integer> points = Optional.empty();

  /** Commands that may have changed it since it was last seen to change. */
  private int changes;

  /** A new life of the stream begins as the job wants it. */
  void beginAnew() {
    points = Optional.empty();
    changes = 0;
  }

  /** An event that explains no chunk. */
  void heard(TextEvent event) {
    if (event.getKind() == TextKind.NOTICE && FRAME_RATE.matcher(event.getText()).matches()) {
      changes++;
    }
  }

  /** What {@code used + missing} of so many chunks must be; empty when anything may be right. */
  Optional<Long> expected(long chunks) {
    return changes > 0
        ? Optional.empty()
        : points.map(one -> Math.min(Math.min(chunks, Integer.MAX_VALUE) * one, Integer.MAX_VALUE));
  }

  /** A chunk had so many. */
  void seen(int found) {
    if (points.isEmpty()) {
      points = Optional.of(found);
    } else if (changes > 0 && points.get() != found) {
      changes--;
      points = Optional.of(found);
    }
  }
}

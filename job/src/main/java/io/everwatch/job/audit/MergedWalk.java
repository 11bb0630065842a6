// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.audit;

import io.everwatch.schemas.avro.MergedRange;
import io.everwatch.schemas.avro.TextEvent;
import io.everwatch.schemas.avro.TextKind;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The rounds of one stream that took up several chunks: each chunk has its own event, all name the
 * same range, one after the other, and only the last one speaks.
 */
final class MergedWalk {
  /** Of the event before, when more of its round must follow. */
  private @Nullable MergedRange open;

  /** Whether any chunk came: the first that is still kept may be in the middle of a round. */
  private boolean begun;

  /** Another life of the stream. */
  void beginAnew() {
    open = null;
  }

  /** What is wrong with an event that explains chunks, beside those before. */
  List<String> problems(TextEvent event) {
    List<String> wrong = new ArrayList<>();
    @Nullable MergedRange range = event.getMerged();
    @Nullable MergedRange before = open;
    if (before != null && !before.equals(range)) {
      wrong.add(
          "%s; expected the next one of %s, as the chunk before says"
              .formatted(shown(range), shown(before)));
    } else if (before == null
        && range != null
        && begun
        && range.getFirstChunk() != event.getChunk()) {
      wrong.add(
          "%s, and the chunk before says nothing of it; expected all of them to say it"
              .formatted(shown(range)));
    }
    if (range != null) {
      inside(event, range, wrong);
    }
    begun = true;
    open = range != null && event.getChunk() < range.getLastChunk() ? range : null;
    return wrong;
  }

  private static void inside(TextEvent event, MergedRange range, List<String> wrong) {
    long chunk = event.getChunk();
    if (chunk < range.getFirstChunk() || chunk > range.getLastChunk()) {
      wrong.add("%s; expected it to be one of them".formatted(shown(range)));
    }
    if (event.getKind() == TextKind.GAP
        || (event.getKind() == TextKind.COMMENT && chunk < range.getLastChunk())) {
      wrong.add(
          "a %s, %s; expected silence before the last of them"
              .formatted(event.getKind(), shown(range)));
    }
    if (chunk > range.getFirstChunk()
        && (event.getClockReset() || !event.getAppliedCommands().isEmpty())) {
      wrong.add(
          "%s, with a clock reset or commands %s in between; expected neither"
              .formatted(shown(range), event.getAppliedCommands()));
    }
  }

  private static String shown(@Nullable MergedRange range) {
    return range == null
        ? "understood alone"
        : "understood with chunks %d to %d".formatted(range.getFirstChunk(), range.getLastChunk());
  }
}

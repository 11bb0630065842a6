// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.audit;

import io.everwatch.schemas.avro.FrameCounts;
import io.everwatch.schemas.avro.SkippedRange;
import io.everwatch.schemas.avro.SourceRange;
import io.everwatch.schemas.avro.TextEvent;
import io.everwatch.schemas.avro.TextKind;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** What holds within one event (architecture §3a.6, §8), whatever stands beside it. */
final class EventRules {
  private EventRules() {}

  /** The kinds that explain chunks. */
  static boolean explains(TextEvent event) {
    return switch (event.getKind()) {
      case COMMENT, SILENCE, ERROR, GAP -> true;
      case STALE, ANSWER, ALERT, NOTICE, ENDED, UNKNOWN -> false;
    };
  }

  /** Last chunk that the event explains. */
  static long lastChunk(TextEvent event) {
    SkippedRange skipped = skipped(event);
    return event.getKind() == TextKind.GAP && skipped != null
        ? skipped.getLastChunk()
        : event.getChunk();
  }

  /** Frames that the dead-letter topic must hold for this chunk: their pictures were unusable. */
  static long deadLettered(TextEvent event) {
    return skipping(event) ? 0 : unaccounted(event.getFrames());
  }

  /** Frames of chunks that were skipped: the stream was stopped, or they came too fast. */
  static long skippedFrames(TextEvent event) {
    return skipping(event) ? unaccounted(event.getFrames()) : 0;
  }

  /** A gap that names records is of a chunk that had frames. */
  private static boolean skipping(TextEvent event) {
    return event.getKind() == TextKind.GAP && !event.getSources().isEmpty();
  }

  private static long unaccounted(FrameCounts counts) {
    return (long) counts.getReceived()
        - counts.getUsed()
        - counts.getSurplus()
        - counts.getDuplicate();
  }

  /** Contradictions between kind, subject, range and sources. */
  static List<String> fields(TextEvent event) {
    List<String> wrong = new ArrayList<>();
    subject(event).ifPresent(wrong::add);
    range(event).ifPresent(wrong::add);
    sources(event, wrong);
    if (event.getChunk() < 0) {
      wrong.add("chunk is %d; expected 0 or more".formatted(event.getChunk()));
    }
    boolean framed = explains(event) && event.getKind() != TextKind.GAP;
    if (framed && event.getFirstSequence() > event.getLastSequence()) {
      wrong.add(
          "sequences %d to %d; expected the first to be at most the last"
              .formatted(event.getFirstSequence(), event.getLastSequence()));
    }
    if (event.getKind() != TextKind.COMMENT
        && event.getKind() != TextKind.ERROR
        && explains(event)
        && !event.getText().isEmpty()) {
      wrong.add(
          "a %s with a text of %d characters; expected none"
              .formatted(event.getKind(), event.getText().length()));
    }
    return wrong;
  }

  private static Optional<String> subject(TextEvent event) {
    String subject = event.getSubject();
    String expected =
        switch (event.getKind()) {
          case COMMENT, SILENCE, ERROR, GAP -> "";
          case ENDED -> "ended";
          case STALE -> "stale";
          case ANSWER, ALERT, NOTICE, UNKNOWN -> subject;
        };
    if (!subject.equals(expected)) {
      return Optional.of(
          "%s with subject '%s'; expected '%s'".formatted(event.getKind(), subject, expected));
    }
    if (event.getKind() == TextKind.UNKNOWN) {
      return Optional.of(
          "a kind that this release does not know; expected one of its own; audit with the"
              + " release of the job");
    }
    if (!explains(event) && subject.isEmpty()) {
      return Optional.of("%s without a subject; expected one".formatted(event.getKind()));
    }
    return Optional.empty();
  }

  private static Optional<String> range(TextEvent event) {
    SkippedRange skipped = skipped(event);
    if (event.getKind() != TextKind.GAP) {
      return skipped == null
          ? Optional.empty()
          : Optional.of(
              "%s with a range of skipped chunks; expected none".formatted(event.getKind()));
    }
    if (skipped == null
        || skipped.getFirstChunk() != event.getChunk()
        || skipped.getLastChunk() < event.getChunk()) {
      return Optional.of(
          "GAP of %s; expected a range of chunks from %d on"
              .formatted(
                  skipped == null
                      ? "no range"
                      : "chunks %d to %d"
                          .formatted(skipped.getFirstChunk(), skipped.getLastChunk()),
                  event.getChunk()));
    }
    return Optional.empty();
  }

  private static void sources(TextEvent event, List<String> wrong) {
    long offsets = 0;
    for (SourceRange source : event.getSources()) {
      if (source.getFirstOffset() < 0 || source.getFirstOffset() > source.getLastOffset()) {
        wrong.add(
            "source %s partition %d offsets %d to %d; expected the first to be 0 or more and at"
                    .formatted(
                        source.getTopic(),
                        source.getPartition(),
                        source.getFirstOffset(),
                        source.getLastOffset())
                + " most the last");
      }
      offsets += source.getLastOffset() - source.getFirstOffset() + 1;
    }
    if (event.getKind() == TextKind.GAP || !explains(event)) {
      return;
    }
    long frames = event.getFrames().getUsed() + deadLettered(event);
    if (frames < 1 || frames > offsets) {
      wrong.add(
          "%d frames from sources of %d records; expected at least one frame, and as many records"
              .formatted(frames, offsets));
    }
  }

  /** Counts that contradict each other or the number of grid points. */
  static List<String> counts(TextEvent event, GridPoints points) {
    FrameCounts counts = event.getFrames();
    List<String> wrong = new ArrayList<>();
    String of =
        "received %d, used %d, surplus %d, duplicate %d, missing %d"
            .formatted(
                counts.getReceived(),
                counts.getUsed(),
                counts.getSurplus(),
                counts.getDuplicate(),
                counts.getMissing());
    if (counts.getReceived() < 0
        || counts.getUsed() < 0
        || counts.getSurplus() < 0
        || counts.getDuplicate() < 0
        || counts.getMissing() < 0) {
      wrong.add(of + "; expected none below 0");
    }
    boolean framed = explains(event) && event.getKind() != TextKind.GAP;
    long dead = unaccounted(counts);
    boolean skipping = skipping(event);
    if (skipping ? dead < 1 : framed ? dead < 0 : dead != 0) {
      wrong.add(
          of
              + "; expected received = used + surplus + duplicate"
              + (skipping ? " + skipped, at least one" : framed ? " + dead-lettered" : ""));
    }
    if (!framed && counts.getUsed() != 0) {
      wrong.add(of + "; expected no frame to be used by a " + event.getKind());
    }
    if (explains(event)) {
      points.problem(event).ifPresent(expected -> wrong.add(of + "; expected " + expected));
    }
    return wrong;
  }

  private static @Nullable SkippedRange skipped(TextEvent event) {
    return event.getSkipped();
  }
}

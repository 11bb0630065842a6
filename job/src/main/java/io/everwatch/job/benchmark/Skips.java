// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.benchmark;

import java.util.EnumMap;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;

/**
 * What published data holds that cannot be used: each case is counted by its reason and told, and
 * the rest goes on. Thread-safe.
 */
public final class Skips {
  private static final int TOLD_EACH = 20;

  /** Why something was left out. */
  public enum Reason {
    /** A line that is no JSON object of the format. */
    MALFORMED_LINE,
    /** A clip that an earlier line of the file has already. */
    REPEATED_CLIP,
    /** A word that starts after its end, or at no time. */
    WORD_TIMES,
    /** A word without a character. */
    EMPTY_WORD,
    /** A text with characters that no text has: control characters, what was not decoded. */
    UNKNOWN_CHARACTERS,
    /** A clip without a usable word, or that ends before it begins. */
    NOTHING_TO_SAY,
    /** A video that is not below the folder of videos. */
    MISSING_VIDEO,
    /** A video of zero bytes. */
    EMPTY_VIDEO,
    /** A video that cannot be opened, or not be read on; what was said before is kept. */
    UNREADABLE_VIDEO,
    /** A video that goes on behind its annotation: the rest is not played. */
    LONGER_THAN_ANNOTATION,
    /** A video that ends before its annotation: what is missing has no commentary. */
    SHORTER_THAN_ANNOTATION,
    /** A second that the engine could not understand: it counts as silence. */
    FAILED_ROUND,
    /** A segment of which too little is said in the reference. */
    TOO_FEW_WORDS,
    /** A segment or clip for which one side has no line at all. */
    NO_COMMENTARY,
    /** A reply of the judge that names neither side, or both. */
    UNREADABLE_VERDICT;

    String label() {
      return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
  }

  private final Map<Reason, Long> counts = new EnumMap<>(Reason.class);
  private final Consumer<String> told;

  /**
   * Nothing yet.
   *
   * @param told hears the first cases of each reason, a line each
   */
  public Skips(Consumer<String> told) {
    this.told = told;
  }

  /** One more case; {@code what} says where and which. */
  public synchronized void add(Reason reason, String what) {
    long count = counts.merge(reason, 1L, Long::sum);
    if (count <= TOLD_EACH) {
      told.accept(
          "%s: %s%s"
              .formatted(
                  reason.label(),
                  what,
                  count == TOLD_EACH ? " (further ones are counted only)" : ""));
    }
  }

  synchronized long of(Reason reason) {
    return counts.getOrDefault(reason, 0L);
  }

  /** By the names of the reasons that had a case. */
  public synchronized Map<String, Long> counts() {
    Map<String, Long> named = new TreeMap<>();
    counts.forEach((reason, count) -> named.put(reason.label(), count));
    return named;
  }
}

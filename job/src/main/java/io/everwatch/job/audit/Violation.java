// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.audit;

/**
 * Something in a topic that must not be.
 *
 * @param streamId empty: not known
 * @param chunk -1: none
 * @param topic where the record lies that shows it
 * @param detail what is there, and what was expected
 */
public record Violation(
    Kind kind,
    String streamId,
    long chunk,
    String topic,
    int partition,
    long offset,
    String detail) {
  /** What is wrong. */
  public enum Kind {
    /** An event of an identity that stands there already, with the same bytes. */
    REPEATED,
    /** An event of an identity that stands there already, with other bytes. */
    CHANGED,
    /** Chunks that no event explains. */
    HOLE,
    /** A chunk that comes after a later one. */
    OUT_OF_ORDER,
    /** An event of a stream that has ended, and of no new life of it. */
    AFTER_END,
    /** A stream that lies in several partitions, where nothing keeps its events in order. */
    MOVED,
    /** An interval that does not follow from the chunk index. */
    INTERVAL,
    /** Fields that contradict each other or the kind. */
    FIELDS,
    /** Frame counts that do not add up. */
    COUNTS,
    /** A memory that cannot follow from the one before. */
    MEMORY,
    /** A record that is no text event of this release. */
    UNREADABLE,
    /** The dead-letter topic does not hold what the events say. */
    DEAD_LETTERS,
    /** The frames topic does not hold what the events say. */
    FRAMES
  }

  /** One line for people. */
  public String line() {
    return "%s stream %s chunk %s, %s partition %d offset %d: %s"
        .formatted(
            kind,
            streamId.isEmpty() ? "unknown" : streamId.replaceAll("\\p{Cntrl}", "?"),
            chunk < 0 ? "none" : Long.toString(chunk),
            topic,
            partition,
            offset,
            detail.replaceAll("\\p{Cntrl}", "?"));
  }
}

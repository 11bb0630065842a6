// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.audit;

/**
 * What an audit saw.
 *
 * @param committedEvents events of the committed reading
 * @param liveEvents events of the live reading; more than the committed ones after a crash
 * @param frames the frames topic beside the events; all 0 when it was not read
 */
public record AuditReport(
    int streams,
    long committedEvents,
    long liveEvents,
    Chunks chunks,
    Counts counts,
    DeadLetters deadLetters,
    Frames frames,
    long violations) {
  /**
   * Chunks by what explains them.
   *
   * @param answered COMMENT, SILENCE, ERROR
   * @param unexplained holes
   */
  public record Chunks(long answered, long inGaps, long unexplained) {}

  /**
   * Frames as the events count them: received = used + surplus + duplicate + unusable + skipped.
   *
   * @param missing grid points without a frame of their own
   * @param unusable frames of chunks whose pictures went to the dead-letter topic
   * @param skipped frames of chunks that were skipped
   */
  public record Counts(
      long received,
      long used,
      long surplus,
      long duplicate,
      long missing,
      long unusable,
      long skipped) {}

  /**
   * The dead-letter topic.
   *
   * @param unusable pictures of chunks
   * @param refused records that no chunk took: late, a lone clock jump, not decodable
   * @param whole false: retention has removed some, or there is no such topic; then only a surplus
   *     is a violation
   */
  public record DeadLetters(long unusable, long refused, boolean whole) {}

  /**
   * The frames topic: found = reported by events + pending.
   *
   * @param found frames of streams whose frames are all still there, without refused ones
   * @param pending frames of those that no event tells of yet
   * @param comparedLives lives of streams (from first frame to end) that were compared
   * @param otherLives lives of which frames or events are gone
   * @param waiting frames of no known life, and undecodable records without a dead letter
   */
  public record Frames(
      long found, long pending, long comparedLives, long otherLives, long waiting) {
    static final Frames NOT_READ = new Frames(0, 0, 0, 0, 0);
  }

  public boolean clean() {
    return violations == 0;
  }
}

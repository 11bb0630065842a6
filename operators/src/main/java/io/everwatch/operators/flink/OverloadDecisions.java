// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.flink;

import java.io.Serializable;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * Which chunks are skipped under overload, and which are understood together. These are decisions
 * that hang on the clock, and therefore recorded inputs (architecture §5): made once for each
 * chunk, kept in state until the event that names them is out, and replaceable by decisions that
 * were recorded.
 */
@FunctionalInterface
public interface OverloadDecisions extends Serializable {
  /**
   * What a decision is made on.
   *
   * @param lagMillis since the chunk's last frame arrived
   * @param roundMillis that a round now takes at the engine, rather too much than too little
   * @param newest no newer chunk of the stream has come
   * @param silentMillis since the stream had a chunk understood
   */
  record Candidate(
      StreamKey stream,
      long chunk,
      OverloadMode mode,
      long lagMillis,
      long roundMillis,
      boolean newest,
      long silentMillis) {}

  /**
   * Decides on a stream's next chunk, when the engine has a place for it.
   *
   * @return why it is skipped, as the event will say; empty: it is understood
   */
  Optional<String> skip(Candidate candidate);

  /**
   * Decides on a chunk that waits, when there is no room for another one that has come.
   *
   * @return why it is skipped; empty: the input waits
   */
  default Optional<String> skipForRoom(Candidate candidate) {
    return Optional.empty();
  }

  /**
   * Decides on a chunk that is to be understood: together with which of those after it.
   *
   * @param chunks it, and those behind it that may be in the same round, as far as they have come
   * @return the last chunk of the round; one that has not come yet is waited for
   */
  default long through(List<Candidate> chunks) {
    return chunks.get(0).chunk();
  }

  /**
   * Skips chunks of streams in mode LIVE so that what is said stays within {@code maxLag}; merges
   * those of streams in mode MERGE that are further behind.
   */
  static OverloadDecisions byLag(Duration maxLag, int mergeChunks) {
    return new BoundedLag(maxLag, mergeChunks);
  }
}

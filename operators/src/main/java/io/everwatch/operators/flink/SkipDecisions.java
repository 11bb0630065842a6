// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.flink;

import java.io.Serializable;
import java.time.Duration;
import java.util.Optional;

/**
 * Which chunks are skipped under overload. It is a decision that hangs on the clock, and therefore
 * a recorded input (architecture §5): made once for each chunk when it is the stream's next, kept
 * in state until the event that names it is out, and replaceable by decisions that were recorded.
 */
@FunctionalInterface
public interface SkipDecisions extends Serializable {
  /** What a decision is made on. */
  record Candidate(StreamKey stream, long chunk, OverloadMode mode, long lagMillis) {}

  /**
   * Decides on a stream's next chunk.
   *
   * @return why it is skipped, as the event will say; empty: it is understood
   */
  Optional<String> skip(Candidate candidate);

  /**
   * Skips chunks of streams in mode LIVE whose last frame arrived longer ago than {@code maxLag}.
   */
  static SkipDecisions byLag(Duration maxLag) {
    long bound = maxLag.toMillis();
    return candidate ->
        candidate.mode() == OverloadMode.LIVE && candidate.lagMillis() > bound
            ? Optional.of("overload: more than %d ms behind".formatted(bound))
            : Optional.empty();
  }
}

// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.evaluation;

import java.util.Optional;

/**
 * A thing in a scene's sentences that no picture shows: it follows from what the stream itself said
 * before, mostly long before its visual window.
 */
public interface RecalledFact {
  /** Prefix of the names of its rates. */
  String label();

  /** What this sentence says of it; empty: nothing. */
  Optional<String> said(String sentence);

  /**
   * Whether sentences of this sort say it under some instruction: saying it where it is not due
   * means that the instruction was forgotten.
   */
  boolean possible(String sentence);

  /** Whether later sentences go on from this one. */
  default boolean isBase(String sentence) {
    return said(sentence).isPresent();
  }

  /**
   * What this sentence must say of it.
   *
   * @param base the stream's own last sentence of which {@link #isBase} holds; empty: none yet
   */
  String next(Optional<String> base, String sentence);
}

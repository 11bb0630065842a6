// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.engine;

/**
 * What a stream goes on with whose rows could not be used.
 *
 * @param snapshot words and counters, without a row: the next round computes them
 * @param source what the words were taken from
 */
public record RebuiltMemory(SessionSnapshot snapshot, Source source) {
  /** From best to worst. */
  public enum Source {
    /** The token ids, by the model that made them. */
    IDS,
    /** The text, tokenised anew by another model. */
    TEXT,
    /** Nothing was left of the words; the count of rounds goes on. */
    NOTHING
  }
}

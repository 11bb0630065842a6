// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.world;

import java.util.OptionalLong;

/**
 * What may be asked at the end of a second, with the true answer.
 *
 * @param answer with a space before and a full stop
 * @param told of text: the second in which the sentences last told it; empty = they need not have
 */
public record Question(String text, String answer, Source source, OptionalLong told) {
  /** Where the answer can be taken from. */
  public enum Source {
    /** The last frame. */
    SIGHT,
    /** The model's own sentences. */
    TEXT
  }

  static Question ofSight(String text, String word) {
    return new Question(text, " " + word + ".", Source.SIGHT, OptionalLong.empty());
  }

  static Question ofText(String text, Fact<?> fact, String word) {
    return new Question(text, " " + word + ".", Source.TEXT, fact.told());
  }
}

// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.world;

import java.util.Locale;
import java.util.OptionalLong;

/**
 * A word of a second's sentence that only memory tells: {@code sentence.substring(start, end)}.
 *
 * @param told the second in which what it follows from was last told; empty = nothing had been said
 */
public record Due(What what, int start, int end, OptionalLong told) {
  /** What is remembered. */
  public enum What {
    /** The running count of what the instruction names. */
    NUMBER,
    /** The colour of the counted vehicle before. */
    AFTER,
    /** How many people are inside. */
    INSIDE;

    String word() {
      return name().toLowerCase(Locale.ROOT);
    }
  }
}

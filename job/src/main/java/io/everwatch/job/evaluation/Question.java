// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.evaluation;

/**
 * What may be asked at the end of a second.
 *
 * @param answer the right one, given what was said so far
 * @param source where the answer is to be found, such as {@code sight} or {@code text}
 */
public record Question(String text, String answer, String source) {
  /** Whether this turn opens with the answer; the second's own sentence may follow it. */
  boolean answeredBy(String turn) {
    String said = turn.strip();
    String right = answer.strip();
    return said.equals(right) || said.startsWith(right + " ");
  }
}

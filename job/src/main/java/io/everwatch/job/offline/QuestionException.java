// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.offline;

/** A question that cannot be answered; the message says why, and what would do. */
public final class QuestionException extends RuntimeException {
  private static final long serialVersionUID = 1;

  public QuestionException(String message) {
    super(message);
  }
}

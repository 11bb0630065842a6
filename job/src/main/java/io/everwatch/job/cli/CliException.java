// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.cli;

/**
 * A failure whose message is all that the person needs: what happened with the values, what was
 * expected, what to do. Shown without a stack trace; exit code 1.
 */
public final class CliException extends RuntimeException {
  private static final long serialVersionUID = 1;

  public CliException(String message) {
    super(message);
  }

  public CliException(String message, Throwable cause) {
    super(message, cause);
  }
}

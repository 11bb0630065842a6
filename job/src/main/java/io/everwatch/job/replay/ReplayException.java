// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.replay;

/** An interval that cannot be run again; the message says why and what can. */
public final class ReplayException extends RuntimeException {
  private static final long serialVersionUID = 1;

  ReplayException(String message) {
    super(message);
  }

  ReplayException(String message, Throwable cause) {
    super(message, cause);
  }
}

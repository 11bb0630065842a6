// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.export;

/** What was asked for is not there; the message says what is. */
public final class ExportException extends RuntimeException {
  private static final long serialVersionUID = 1;

  public ExportException(String message) {
    super(message);
  }
}

// SPDX-License-Identifier: Apache-2.0
package io.everwatch.schemas;

/** The text topic cannot be read: no broker, no topic, no permission. */
public final class TextReadException extends RuntimeException {
  private static final long serialVersionUID = 1;

  TextReadException(String message) {
    super(message);
  }

  TextReadException(String message, Throwable cause) {
    super(message, cause);
  }
}

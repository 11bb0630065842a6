// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.model;

/**
 * A model folder, its configuration or its settings cannot be used. Thrown before the first record;
 * the message names every problem found, what was expected, and what to do.
 */
public final class BadModelException extends IllegalArgumentException {
  private static final long serialVersionUID = 1;

  public BadModelException(String message) {
    super(message);
  }

  public BadModelException(String message, Throwable cause) {
    super(message, cause);
  }
}

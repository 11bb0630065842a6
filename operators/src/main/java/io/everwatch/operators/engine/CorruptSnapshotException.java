// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.engine;

/** A snapshot cannot be used; the stream must be rebuilt from its log. */
public final class CorruptSnapshotException extends RuntimeException {
  private static final long serialVersionUID = 1;

  public CorruptSnapshotException(String message) {
    super(message);
  }

  public CorruptSnapshotException(String message, Throwable cause) {
    super(message, cause);
  }
}

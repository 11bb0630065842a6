// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.model;

/** A picture that cannot be used; the record it came with goes to the dead-letter topic. */
public final class BadFrameException extends Exception {
  private static final long serialVersionUID = 1;

  /** Why. Persisted by name; part of the dead-letter record. */
  public enum Reason {
    EMPTY,
    WRONG_MAGIC,
    TRUNCATED,
    CORRUPT,
    /** Width or height is absurd, or differs from what the record says; found before decoding. */
    DIMENSIONS,
    /** More scans or components than a camera would send; found before decoding. */
    TOO_COMPLEX,
    /** Longer side above 200 times the shorter. */
    ASPECT_RATIO
  }

  private final Reason reason;

  public BadFrameException(Reason reason, String message) {
    super(message);
    this.reason = reason;
  }

  public Reason reason() {
    return reason;
  }
}

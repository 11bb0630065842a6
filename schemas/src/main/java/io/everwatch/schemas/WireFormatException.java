// SPDX-License-Identifier: Apache-2.0
package io.everwatch.schemas;

/** Bytes that are not a record of ours; they belong on the dead-letter topic. */
public final class WireFormatException extends Exception {
  private static final long serialVersionUID = 1;

  /** Why. The name is the reason code of the dead-letter record. */
  public enum Reason {
    /** No single-object header, or the bytes behind it do not fit the schema that it names. */
    UNDECODABLE,
    /** A well-formed header that names a schema this release does not know. */
    UNKNOWN_SCHEMA,
    /** Longer than the reader accepts. */
    OVERSIZED
  }

  private final Reason reason;

  WireFormatException(Reason reason, String message) {
    super(message);
    this.reason = reason;
  }

  WireFormatException(Reason reason, String message, Throwable cause) {
    super(message, cause);
    this.reason = reason;
  }

  public Reason reason() {
    return reason;
  }
}

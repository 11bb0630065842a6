// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.wall.http;

/** Why a wall cannot be served; the message says what to do. */
public final class WallException extends RuntimeException {
  private static final long serialVersionUID = 1;

  WallException(String message) {
    super(message);
  }

  WallException(String message, Throwable cause) {
    super(message, cause);
  }
}

// SPDX-License-Identifier: Apache-2.0
package io.everwatch.benchmarks.gpu;

/** An item cannot be done on this machine; the message says why. */
final class SkippedException extends RuntimeException {
  private static final long serialVersionUID = 1;

  SkippedException(String why) {
    super(why);
  }
}

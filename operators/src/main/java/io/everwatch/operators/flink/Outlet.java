// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.flink;

/** Where results go; {@code timestamp} as in {@link Turn}. */
interface Outlet {
  void text(TextRecord record, long timestamp);

  void deadLetter(String reason, DeadLetterRecord record, long timestamp);
}

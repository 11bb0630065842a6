// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.wall;

/**
 * How one reader of a topic is doing.
 *
 * @param connected it reads, or waits for records
 * @param skipped records that were none of the topic's kind
 * @param problem what keeps it from reading; empty = nothing
 */
record ReaderStatus(boolean connected, long skipped, String problem) {
  static final ReaderStatus STARTING = new ReaderStatus(false, 0, "");
}

// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.cache;

/** Which rows a stream keeps: a pure function from list to list. */
public interface RetentionPolicy {
  /**
   * Compacts before the rows of a new round enter. Rows without K and V stay at the end.
   *
   * @param round number of the round about to enter, from 0; seconds without frames make no round
   */
  StreamMemory compact(StreamMemory memory, long round);

  /** Drops all visual rounds, after a gap longer than {@code maxGap} (architecture §3a.4). */
  StreamMemory dropVision(StreamMemory memory);
}

// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.wall;

import java.util.List;
import java.util.Map;

/**
 * What is other than when it was asked for before.
 *
 * @param afresh so much at once that a page had better ask for everything again
 * @param committed by stream
 */
record Changes(
    boolean afresh,
    List<StreamView> streams,
    List<String> gone,
    List<Said> texts,
    Map<String, Committed> committed) {
  /** All events of a life up to a chunk are committed. */
  record Committed(long life, long chunk) {}

  boolean none() {
    return !afresh && streams.isEmpty() && gone.isEmpty() && texts.isEmpty() && committed.isEmpty();
  }
}

// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.flink;

/** What happens when frames come faster than they are understood. Persisted by name. */
public enum OverloadMode {
  /** Nothing is lost: the source waits. */
  BLOCK,
  /** The oldest chunks are skipped, so that the lag stays under a bound. */
  LIVE,
  /** Nothing is lost: several chunks that are behind make one round, which is answered once. */
  MERGE
}

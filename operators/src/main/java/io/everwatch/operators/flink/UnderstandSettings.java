// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.flink;

import java.io.Serializable;
import java.time.Duration;

/**
 * How the operator works; nothing here changes a text.
 *
 * @param maxInFlight chunks, gaps and ends of one subtask that may wait or be under way; beyond it
 *     the operator takes no record
 * @param drain how long a checkpoint barrier waits for running rounds at most; the rest is stored
 * @param snapshotInterval a stream's memory is written again after this time at the latest; zero:
 *     with every checkpoint
 * @param maxTextBytes longest text of an event, UTF-8; longer ones are cut, so that no event
 *     exceeds what the sink may send
 * @param staleAfter a stream without records for so long is told to be silent; zero: never
 * @param forgetAfter a stream without records for so long ends; zero: never
 */
public record UnderstandSettings(
    int maxInFlight,
    Duration drain,
    Duration snapshotInterval,
    int maxTextBytes,
    Duration staleAfter,
    Duration forgetAfter)
    implements Serializable {
  public static final UnderstandSettings DEFAULT =
      new UnderstandSettings(256, Duration.ofMillis(100), Duration.ofSeconds(60), 64 << 10);

  /** Says nothing of silent streams, and keeps them. */
  public UnderstandSettings(
      int maxInFlight, Duration drain, Duration snapshotInterval, int maxTextBytes) {
    this(maxInFlight, drain, snapshotInterval, maxTextBytes, Duration.ZERO, Duration.ZERO);
  }

  public UnderstandSettings {
    if (maxInFlight < 1) {
      throw new IllegalArgumentException(
          "maxInFlight is %d; at least one chunk must be allowed".formatted(maxInFlight));
    }
    if (drain.isNegative() || snapshotInterval.isNegative()) {
      throw new IllegalArgumentException(
          "drain %s, snapshotInterval %s; neither may be negative"
              .formatted(drain, snapshotInterval));
    }
    if (staleAfter.isNegative() || forgetAfter.isNegative()) {
      throw new IllegalArgumentException(
          "staleAfter %s, forgetAfter %s; neither may be negative"
              .formatted(staleAfter, forgetAfter));
    }
    if (maxTextBytes < 16) {
      throw new IllegalArgumentException(
          "maxTextBytes is %d; at least 16 are needed".formatted(maxTextBytes));
    }
  }
}

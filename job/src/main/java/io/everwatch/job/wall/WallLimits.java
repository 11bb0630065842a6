// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.wall;

import java.time.Duration;

/**
 * What the wall keeps at most; beyond it the oldest goes.
 *
 * @param history age of the oldest event
 * @param events of all streams
 * @param eventBytes what they take of the heap, roughly
 * @param streams further ones are left out, and said so
 * @param frameBytes newest pictures of all streams
 * @param pictureBytes scaled pictures, and those fetched again from the topic
 */
public record WallLimits(
    Duration history,
    int events,
    long eventBytes,
    int streams,
    long frameBytes,
    long pictureBytes) {

  /** Of a process with this much heap: together less than half of it. */
  public static WallLimits of(Duration history, long heapBytes) {
    return new WallLimits(
        history,
        200_000,
        Math.min(256L << 20, heapBytes / 5),
        5_000,
        Math.min(256L << 20, heapBytes / 8),
        Math.min(64L << 20, heapBytes / 16));
  }
}

// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.broker;

import java.time.Duration;

/**
 * Sizes and life times of the topics.
 *
 * @param partitions of frames and text; a stream lives in one
 * @param replication copies of each record
 * @param maxFrameBytes largest frame record; dead letters may be larger by {@link
 *     #DEAD_LETTER_MARGIN}, because they carry the record and the reason
 * @param frameRetention how long frames stay; a job that is down longer records a gap
 * @param textRetention how long text and dead letters stay
 */
public record TopicLimits(
    int partitions,
    short replication,
    int maxFrameBytes,
    Duration frameRetention,
    Duration textRetention) {
  /** Room for the reason and the identity around a record of full size. */
  public static final int DEAD_LETTER_MARGIN = 64 * 1024;

  /** The largest that a job can be told to read. */
  private static final int LARGEST_FRAME = 256 << 20;

  public TopicLimits {
    if (partitions < 1
        || replication < 1
        || maxFrameBytes < 1024
        || maxFrameBytes > LARGEST_FRAME) {
      throw new IllegalArgumentException(
          "%d partitions, %d copies, frames of at most %d bytes; expected at least 1, 1 and 1024, and at most %d bytes"
              .formatted(partitions, replication, maxFrameBytes, LARGEST_FRAME));
    }
  }

  /** One copy, 8 MiB frames kept for an hour, text for a week. */
  public static TopicLimits of(int partitions) {
    return new TopicLimits(
        partitions, (short) 1, 8 * 1024 * 1024, Duration.ofHours(1), Duration.ofDays(7));
  }

  public TopicLimits withReplication(int copies) {
    return new TopicLimits(
        partitions,
        (short) Math.min(copies, Short.MAX_VALUE),
        maxFrameBytes,
        frameRetention,
        textRetention);
  }

  public TopicLimits withMaxFrameBytes(int bytes) {
    return new TopicLimits(partitions, replication, bytes, frameRetention, textRetention);
  }
}

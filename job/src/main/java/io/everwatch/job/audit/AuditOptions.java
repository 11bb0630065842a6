// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.audit;

import io.everwatch.job.broker.TopicNames;
import java.time.Duration;
import java.util.Map;
import java.util.Set;

/**
 * What to audit.
 *
 * @param client properties of a Kafka client
 * @param streams stream IDs; empty = all
 * @param readFrames also count the records of the frames topic, as far as they are kept
 * @param repeatsAllowed the job's {@code delivery} is at-least-once
 * @param timeout how long the broker may take to answer
 */
public record AuditOptions(
    Map<String, Object> client,
    TopicNames topics,
    Set<String> streams,
    boolean readFrames,
    boolean repeatsAllowed,
    Duration timeout) {
  public AuditOptions {
    client = Map.copyOf(client);
    streams = Set.copyOf(streams);
  }
}

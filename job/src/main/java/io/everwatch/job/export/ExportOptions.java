// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.export;

import java.time.Duration;
import java.util.Map;
import java.util.Set;

/**
 * What is exported.
 *
 * @param client properties of a Kafka client
 * @param streams empty: all
 * @param committed what transactions have committed; otherwise all that was written
 * @param margin events are looked for among those that were written from so long before the
 *     interval to so long after it
 * @param timeout for the broker's first answer
 */
public record ExportOptions(
    Map<String, Object> client,
    String topic,
    Set<String> streams,
    Interval interval,
    boolean committed,
    Duration margin,
    Duration timeout) {
  public ExportOptions {
    client = Map.copyOf(client);
    streams = Set.copyOf(streams);
  }
}

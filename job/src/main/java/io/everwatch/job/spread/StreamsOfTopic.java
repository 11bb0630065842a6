// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.spread;

import io.everwatch.job.broker.TopicScan;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.SortedSet;
import java.util.TreeSet;

/** Which streams have sent frames lately: the keys of the frames topic's newest records. */
public final class StreamsOfTopic {
  private static final Duration TIMEOUT = Duration.ofSeconds(30);

  private StreamsOfTopic() {}

  /**
   * Reads the records that were written since then.
   *
   * @param client properties of a Kafka client
   * @return stream IDs, sorted; empty also when there is no such topic
   * @throws org.apache.kafka.common.KafkaException when the broker goes away or refuses
   */
  public static SortedSet<String> since(Instant since, String topic, Map<String, Object> client) {
    SortedSet<String> streams = new TreeSet<>();
    try (TopicScan scan = new TopicScan(client, topic, /* committed= */ false, TIMEOUT)) {
      scan.startAt(since);
      scan.forEach(
          record -> {
            if (record.key() != null) {
              streams.add(new String(record.key(), StandardCharsets.UTF_8));
            }
          });
    }
    return streams;
  }
}

// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.spread;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndTimestamp;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/** Which streams have sent frames lately: the keys of the frames topic's newest records. */
public final class StreamsOfTopic {
  private static final Duration POLL = Duration.ofMillis(200);

  /** No record came for so long although some lie before the end. */
  private static final Duration PATIENCE = Duration.ofSeconds(30);

  private StreamsOfTopic() {}

  /**
   * Reads the records that were written since then.
   *
   * @param client properties of a Kafka client
   * @return stream IDs, sorted; empty also when there is no such topic
   * @throws KafkaException when the broker goes away or refuses
   */
  public static SortedSet<String> since(Instant since, String topic, Map<String, Object> client) {
    Map<String, Object> properties = new HashMap<>(client);
    properties.put("enable.auto.commit", "false");
    properties.put("allow.auto.create.topics", "false");
    properties.put("auto.offset.reset", "earliest"); // retention goes on while we read
    try (KafkaConsumer<byte[], byte[]> consumer =
        new KafkaConsumer<>(properties, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
      List<TopicPartition> partitions =
          consumer.partitionsFor(topic).stream()
              .map(info -> new TopicPartition(topic, info.partition()))
              .toList();
      consumer.assign(partitions);
      Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
      Map<TopicPartition, OffsetAndTimestamp> begins =
          consumer.offsetsForTimes(
              partitions.stream()
                  .collect(Collectors.toMap(partition -> partition, p -> since.toEpochMilli())));
      ends.forEach(
          (partition, end) -> {
            OffsetAndTimestamp begin = begins.get(partition);
            consumer.seek(partition, begin == null ? end : begin.offset());
          });
      return read(consumer, ends);
    }
  }

  private static SortedSet<String> read(
      KafkaConsumer<byte[], byte[]> consumer, Map<TopicPartition, Long> ends) {
    SortedSet<String> streams = new TreeSet<>();
    long deadline = System.nanoTime() + PATIENCE.toNanos();
    while (ends.entrySet().stream().anyMatch(e -> consumer.position(e.getKey()) < e.getValue())) {
      for (ConsumerRecord<byte[], byte[]> record : consumer.poll(POLL)) {
        deadline = System.nanoTime() + PATIENCE.toNanos();
        if (record.key() != null) {
          streams.add(new String(record.key(), StandardCharsets.UTF_8));
        }
      }
      if (System.nanoTime() - deadline > 0) {
        throw new KafkaException(
            "no record for %d s; expected those up to %s; is the broker still there?"
                .formatted(PATIENCE.toSeconds(), ends));
      }
    }
    return streams;
  }
}

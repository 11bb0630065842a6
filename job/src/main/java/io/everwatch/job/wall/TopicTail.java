// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.wall;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.clients.consumer.CloseOptions;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndTimestamp;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.jspecify.annotations.Nullable;

/**
 * All partitions of a topic, from a moment on, without a consumer group; new partitions from their
 * beginning. One thread.
 */
final class TopicTail implements AutoCloseable {
  private static final Duration ANSWER = Duration.ofSeconds(10);
  private static final long PARTITION_CHECK_NANOS = Duration.ofSeconds(10).toNanos();

  private final KafkaConsumer<byte[], byte[]> consumer;
  private final String topic;
  private final Set<TopicPartition> partitions = new HashSet<>();
  private long nextCheckNanos;

  /**
   * Connects.
   *
   * @param fromMillis time of the first record, milliseconds since the epoch
   * @throws org.apache.kafka.common.KafkaException when the broker refuses or does not answer
   */
  TopicTail(Map<String, Object> client, String topic, long fromMillis) {
    this.topic = topic;
    consumer =
        new KafkaConsumer<>(
            properties(client), new ByteArrayDeserializer(), new ByteArrayDeserializer());
    try {
      partitions.addAll(find());
      consumer.assign(partitions);
      Map<TopicPartition, Long> offsets = new HashMap<>(consumer.endOffsets(partitions, ANSWER));
      Map<TopicPartition, Long> times = new HashMap<>();
      partitions.forEach(partition -> times.put(partition, fromMillis));
      consumer
          .offsetsForTimes(times, ANSWER)
          .forEach((partition, found) -> begin(offsets, partition, found));
      offsets.forEach(consumer::seek);
    } catch (RuntimeException e) {
      consumer.close(CloseOptions.timeout(Duration.ZERO));
      throw e;
    }
    nextCheckNanos = System.nanoTime() + PARTITION_CHECK_NANOS;
  }

  private static void begin(
      Map<TopicPartition, Long> offsets,
      TopicPartition partition,
      @Nullable OffsetAndTimestamp found) {
    if (found != null) {
      offsets.put(partition, found.offset());
    }
  }

  static Map<String, Object> properties(Map<String, Object> client) {
    Map<String, Object> all = new HashMap<>();
    all.put("enable.auto.commit", "false");
    all.put("allow.auto.create.topics", "false");
    all.put("auto.offset.reset", "latest");
    all.put("metadata.max.age.ms", "10000");
    all.put("reconnect.backoff.max.ms", "1000");
    all.putAll(client);
    return all;
  }

  /** The next records; none when there are none in time or the broker is away. */
  List<ConsumerRecord<byte[], byte[]>> poll(Duration limit) {
    addNewPartitions();
    List<ConsumerRecord<byte[], byte[]>> records = new ArrayList<>();
    consumer.poll(limit).forEach(records::add);
    return records;
  }

  private Set<TopicPartition> find() {
    Set<TopicPartition> found = new HashSet<>();
    List<PartitionInfo> infos = consumer.partitionsFor(topic, ANSWER);
    if (infos != null) {
      infos.forEach(info -> found.add(new TopicPartition(info.topic(), info.partition())));
    }
    return found;
  }

  private void addNewPartitions() {
    if (System.nanoTime() - nextCheckNanos < 0) {
      return;
    }
    nextCheckNanos = System.nanoTime() + PARTITION_CHECK_NANOS;
    Set<TopicPartition> added;
    try {
      added = find();
    } catch (TimeoutException away) {
      return; // looked for again when the broker is back
    }
    added.removeAll(partitions);
    if (!added.isEmpty()) {
      partitions.addAll(added);
      consumer.assign(partitions);
      consumer.seekToBeginning(added);
    }
  }

  boolean isEmpty() {
    return partitions.isEmpty();
  }

  /** Ends a running {@link #poll}; from any thread. */
  void wakeup() {
    consumer.wakeup();
  }

  @Override
  public void close() {
    consumer.close(CloseOptions.timeout(Duration.ofSeconds(2)));
  }
}

// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.broker;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.apache.kafka.clients.consumer.CloseOptions;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/**
 * A topic from its oldest record to what was its newest when the scan was opened, partition after
 * partition. One thread.
 */
public final class TopicScan implements AutoCloseable {
  private static final Duration POLL = Duration.ofMillis(500);

  /** A broker that sends nothing for so long, though there is more, has gone. */
  private static final long SILENCE_NANOS = Duration.ofSeconds(60).toNanos();

  /** What is done with a record of which more may follow. */
  public interface Decision {
    /** Takes it; false: it was the last one that is wanted. */
    boolean goesOn(ConsumerRecord<byte[], byte[]> record);
  }

  /** Of the records. */
  public interface Taker {
    void take(ConsumerRecord<byte[], byte[]> record);
  }

  private final String topic;
  private final KafkaConsumer<byte[], byte[]> consumer;
  private final Map<TopicPartition, Long> begins = new HashMap<>();
  private final Map<TopicPartition, Long> ends = new HashMap<>();

  /**
   * Finds the topic's partitions and how far they go.
   *
   * @param client properties of a Kafka client
   * @param committed only what transactions have committed; otherwise all that was written
   * @throws KafkaException when the broker does not answer within {@code timeout}, or refuses
   */
  public TopicScan(Map<String, Object> client, String topic, boolean committed, Duration timeout) {
    this.topic = topic;
    Map<String, Object> properties = new HashMap<>(client);
    properties.put("isolation.level", committed ? "read_committed" : "read_uncommitted");
    properties.put("enable.auto.commit", "false");
    properties.put("allow.auto.create.topics", "false");
    properties.put("auto.offset.reset", "earliest"); // retention goes on while we read
    properties.put("max.partition.fetch.bytes", 8 << 20);
    consumer =
        new KafkaConsumer<>(properties, new ByteArrayDeserializer(), new ByteArrayDeserializer());
    try {
      List<PartitionInfo> infos = consumer.partitionsFor(topic, timeout);
      if (infos != null) {
        Set<TopicPartition> partitions =
            infos.stream()
                .map(info -> new TopicPartition(topic, info.partition()))
                .collect(Collectors.toSet());
        // Assigned before it asks, and to the end: the client warns of answers about others.
        consumer.assign(partitions);
        consumer.pause(partitions);
        begins.putAll(consumer.beginningOffsets(partitions, timeout));
        ends.putAll(consumer.endOffsets(partitions, timeout));
      }
    } catch (RuntimeException e) {
      close();
      throw e;
    }
  }

  public boolean exists() {
    return !ends.isEmpty();
  }

  /** Oldest offset kept, by partition. */
  public Map<Integer, Long> begins() {
    Map<Integer, Long> all = new HashMap<>();
    begins.forEach((partition, offset) -> all.put(partition.partition(), offset));
    return all;
  }

  /** Offset behind the newest record when the scan was opened, by partition. */
  public Map<Integer, Long> ends() {
    Map<Integer, Long> all = new HashMap<>();
    ends.forEach((partition, offset) -> all.put(partition.partition(), offset));
    return all;
  }

  /** Passes over the records before this time, by the records' own. */
  public void startAt(Instant time) {
    offsetsAt(time)
        .forEach((partition, offset) -> begins.put(new TopicPartition(topic, partition), offset));
  }

  /**
   * Offset of the first record of this time or a later one, by partition; behind the newest where
   * there is none.
   */
  public Map<Integer, Long> offsetsAt(Instant time) {
    Map<TopicPartition, Long> times = new HashMap<>();
    begins.keySet().forEach(partition -> times.put(partition, Math.max(0, time.toEpochMilli())));
    Map<Integer, Long> offsets = new HashMap<>();
    consumer
        .offsetsForTimes(times)
        .forEach(
            (partition, found) ->
                offsets.put(
                    partition.partition(),
                    found == null ? ends.getOrDefault(partition, 0L) : found.offset()));
    return offsets;
  }

  /**
   * One record.
   *
   * @return none: retention has removed it, or it was not written yet
   * @throws KafkaException when the broker goes away or refuses
   */
  public Optional<ConsumerRecord<byte[], byte[]>> at(int number, long offset) {
    TopicPartition partition = new TopicPartition(topic, number);
    if (offset < begins.getOrDefault(partition, Long.MAX_VALUE)
        || offset >= ends.getOrDefault(partition, 0L)) {
      return Optional.empty();
    }
    List<ConsumerRecord<byte[], byte[]>> found = new ArrayList<>();
    read(
        number,
        offset,
        offset + 1,
        record -> {
          if (record.offset() == offset) {
            found.add(record);
          }
          return true;
        });
    return found.stream().findFirst();
  }

  /** Partitions whose oldest records retention has removed. */
  public Set<Integer> truncated() {
    Set<Integer> all = new HashSet<>();
    begins.forEach(
        (partition, offset) -> {
          if (offset > 0) {
            all.add(partition.partition());
          }
        });
    return all;
  }

  /**
   * Offers every record.
   *
   * @throws KafkaException when the broker goes away or refuses
   */
  public void forEach(Taker taker) {
    for (Map.Entry<TopicPartition, Long> end : ends.entrySet()) {
      TopicPartition partition = end.getKey();
      long begin = begins.getOrDefault(partition, 0L);
      read(
          partition.partition(),
          begin,
          end.getValue(),
          record -> {
            taker.take(record);
            return true;
          });
    }
  }

  /**
   * Offers the records of a partition from one offset to another, exclusive, or until no more are
   * wanted.
   *
   * @return offset behind the last that was offered
   * @throws KafkaException when the broker goes away or refuses
   */
  public long read(int number, long from, long to, Decision decision) {
    TopicPartition partition = new TopicPartition(topic, number);
    consumer.seek(partition, from);
    consumer.resume(List.of(partition));
    try {
      return read(partition, to, decision);
    } finally {
      consumer.pause(List.of(partition));
    }
  }

  private long read(TopicPartition partition, long end, Decision decision) {
    long lastNews = System.nanoTime();
    long position = consumer.position(partition);
    while (position < end) {
      for (ConsumerRecord<byte[], byte[]> record : consumer.poll(POLL)) {
        if (record.offset() < end && !decision.goesOn(record)) {
          return record.offset() + 1;
        }
      }
      long now = System.nanoTime();
      long reached = consumer.position(partition);
      if (reached != position) {
        position = reached;
        lastNews = now;
      } else if (now - lastNews > SILENCE_NANOS) {
        throw new KafkaException(
            "%s partition %d gave nothing for %d s at offset %d; expected records up to %d; is the"
                    .formatted(
                        topic,
                        partition.partition(),
                        Duration.ofNanos(SILENCE_NANOS).toSeconds(),
                        position,
                        end)
                + " broker still there?");
      }
    }
    return Math.min(position, end);
  }

  @Override
  public void close() {
    consumer.close(CloseOptions.timeout(Duration.ofSeconds(5)));
  }
}

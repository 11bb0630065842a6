// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.topology;

import io.everwatch.operators.flink.CommittedText;
import io.everwatch.operators.flink.TextRecord;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import org.apache.kafka.clients.consumer.CloseOptions;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndTimestamp;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Looks for text on its topic: first where it stands at all, then, once no transaction is open
 * before those places, which of it is committed. Later places are not waited for: other subtasks
 * may write there already, in transactions that stay open until this one runs.
 */
final class KafkaCommittedText implements CommittedText {
  private static final long serialVersionUID = 1;
  private static final Logger LOG = LoggerFactory.getLogger(KafkaCommittedText.class);
  private static final Duration POLL = Duration.ofMillis(100);
  private static final long PROGRESS_NANOS = Duration.ofSeconds(10).toNanos();

  /**
   * Of clocks, for topics whose records bear the broker's time; else a record bears the very time
   * that is looked for.
   */
  private static final long CLOCKS_MILLIS = 60_000;

  /** Else a client waits for the fetch that it has sent, half a second. */
  private static final CloseOptions AT_ONCE = CloseOptions.timeout(Duration.ZERO);

  private final HashMap<String, Object> client;
  private final String topic;
  private final Duration limit;

  /**
   * Looks nowhere yet.
   *
   * @param client properties of a Kafka client
   * @param limit how long open transactions are waited for: longer than they may live
   */
  KafkaCommittedText(Map<String, String> client, String topic, Duration limit) {
    this.client = new HashMap<>(client);
    this.topic = topic;
    this.limit = limit;
  }

  @Override
  public List<TextRecord> missing(List<TextRecord> texts) throws IOException {
    long began = System.nanoTime();
    Set<ByteBuffer> wanted =
        texts.stream().map(text -> ByteBuffer.wrap(text.value())).collect(Collectors.toSet());
    Map<TopicPartition, Long> from = new HashMap<>();
    Map<TopicPartition, Long> until = new HashMap<>(); // after the last copy of any of them
    KafkaConsumer<byte[], byte[]> all = consumer("read_uncommitted");
    try {
      from.putAll(places(all, oldest(texts) - CLOCKS_MILLIS));
      scan(
          all,
          from,
          all.endOffsets(from.keySet()),
          record -> {
            if (wanted.contains(value(record))) {
              until.put(partition(record), record.offset() + 1);
            }
          });
    } finally {
      all.close(AT_ONCE);
    }
    Set<ByteBuffer> found = new HashSet<>();
    from.keySet().retainAll(until.keySet());
    KafkaConsumer<byte[], byte[]> committed = consumer("read_committed");
    try {
      scan(
          committed,
          from,
          until,
          record -> {
            if (wanted.contains(value(record))) {
              found.add(value(record));
            }
          });
    } finally {
      committed.close(AT_ONCE);
    }
    List<TextRecord> missing =
        texts.stream().filter(text -> !found.contains(ByteBuffer.wrap(text.value()))).toList();
    LOG.info(
        "{} events of the restored checkpoint were looked for on topic {}: {} are committed; {} ms",
        texts.size(),
        topic,
        texts.size() - missing.size(),
        (System.nanoTime() - began) / 1_000_000);
    return missing;
  }

  private static long oldest(List<TextRecord> texts) {
    return texts.stream().mapToLong(TextRecord::givenMillis).min().orElseThrow();
  }

  /** Where records of that time or later begin; partitions without any are left out. */
  private Map<TopicPartition, Long> places(KafkaConsumer<byte[], byte[]> consumer, long millis) {
    Map<TopicPartition, Long> times = new HashMap<>();
    consumer
        .partitionsFor(topic)
        .forEach(info -> times.put(new TopicPartition(topic, info.partition()), millis));
    Map<TopicPartition, Long> places = new HashMap<>();
    for (Map.Entry<TopicPartition, OffsetAndTimestamp> place :
        consumer.offsetsForTimes(times).entrySet()) {
      if (place.getValue() != null) {
        places.put(place.getKey(), place.getValue().offset());
      }
    }
    return places;
  }

  /** Reads from one offset of each partition up to another; waits until that can be read. */
  private void scan(
      KafkaConsumer<byte[], byte[]> consumer,
      Map<TopicPartition, Long> from,
      Map<TopicPartition, Long> until,
      Consumer<ConsumerRecord<byte[], byte[]>> each)
      throws IOException {
    consumer.assign(from.keySet());
    from.forEach(consumer::seek);
    long began = System.nanoTime();
    long nextProgress = began + PROGRESS_NANOS;
    for (Set<TopicPartition> left = left(consumer, until);
        !left.isEmpty();
        left = left(consumer, until)) {
      long now = System.nanoTime();
      if (now - began > limit.toNanos()) {
        throw new IOException(
            ("text of the restored checkpoint is not readable yet: %s has been at %s for %d s, an open"
                    + " transaction hides what follows; nothing is written as long as it may be"
                    + " committed, and the job starts again; `kafka-transactions.sh list` names the"
                    + " transaction, another job's on this topic must be ended or aborted")
                .formatted(topic, positions(consumer, left), limit.toSeconds()));
      }
      if (now > nextProgress) {
        nextProgress = now + PROGRESS_NANOS;
        LOG.info(
            "waits for open transactions on topic {}: at {}, to be read up to {}",
            topic,
            positions(consumer, left),
            until);
      }
      consumer.poll(POLL).forEach(each);
    }
  }

  private static Set<TopicPartition> left(
      KafkaConsumer<byte[], byte[]> consumer, Map<TopicPartition, Long> until) {
    return until.entrySet().stream()
        .filter(end -> consumer.position(end.getKey()) < end.getValue())
        .map(Map.Entry::getKey)
        .collect(Collectors.toSet());
  }

  private static Map<TopicPartition, Long> positions(
      KafkaConsumer<byte[], byte[]> consumer, Set<TopicPartition> partitions) {
    return partitions.stream().collect(Collectors.toMap(one -> one, consumer::position));
  }

  private static ByteBuffer value(ConsumerRecord<byte[], byte[]> record) {
    return record.value() == null ? ByteBuffer.allocate(0) : ByteBuffer.wrap(record.value());
  }

  private static TopicPartition partition(ConsumerRecord<byte[], byte[]> record) {
    return new TopicPartition(record.topic(), record.partition());
  }

  private KafkaConsumer<byte[], byte[]> consumer(String isolation) {
    Map<String, Object> properties = new HashMap<>(client);
    properties.put("isolation.level", isolation);
    properties.put("enable.auto.commit", "false");
    properties.put("allow.auto.create.topics", "false");
    properties.put("auto.offset.reset", "earliest"); // what retention has removed is not there
    properties.remove("group.id");
    return new KafkaConsumer<>(
        properties, new ByteArrayDeserializer(), new ByteArrayDeserializer());
  }
}

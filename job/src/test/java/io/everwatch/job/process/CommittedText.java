// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.process;

import io.everwatch.schemas.WireFormat;
import io.everwatch.schemas.avro.TextEvent;
import io.everwatch.schemas.avro.TextKind;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.BooleanSupplier;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/**
 * A text topic as a system of record reads it, from the beginning: every committed record, repeated
 * ones too. One thread.
 */
public final class CommittedText implements AutoCloseable {
  private static final Duration LOOK = Duration.ofMillis(200);

  private final KafkaConsumer<byte[], byte[]> consumer;
  private final Map<String, List<byte[]>> values = new TreeMap<>();
  private int ended;

  /**
   * Begins with the first record.
   *
   * @param client properties of a Kafka client
   */
  public CommittedText(Map<String, Object> client, String topic) {
    Map<String, Object> properties = new HashMap<>(client);
    properties.put("isolation.level", "read_committed");
    consumer =
        new KafkaConsumer<>(properties, new ByteArrayDeserializer(), new ByteArrayDeserializer());
    List<TopicPartition> partitions =
        consumer.partitionsFor(topic).stream()
            .map(info -> new TopicPartition(info.topic(), info.partition()))
            .toList();
    consumer.assign(partitions);
    consumer.seekToBeginning(partitions);
  }

  /** Reads until so many events are there, of all streams. */
  public CommittedText awaitEvents(int count, Duration limit) throws Exception {
    return await(count + " committed events", limit, () -> size() >= count);
  }

  /** Reads until so many streams have ended. */
  public CommittedText awaitEnded(int streams, Duration limit) throws Exception {
    return await("the end of %d streams".formatted(streams), limit, () -> ended >= streams);
  }

  private CommittedText await(String what, Duration limit, BooleanSupplier enough)
      throws Exception {
    Instant deadline = Instant.now().plus(limit);
    while (!enough.getAsBoolean()) {
      if (Instant.now().isAfter(deadline)) {
        throw new AssertionError(
            "%s were not there within %s; there are %d of %s, %d ended"
                .formatted(what, limit, size(), values.keySet(), ended));
      }
      for (ConsumerRecord<byte[], byte[]> record : consumer.poll(LOOK)) {
        String stream = new String(record.key(), StandardCharsets.UTF_8);
        values.computeIfAbsent(stream, id -> new ArrayList<>()).add(record.value());
        ended += WireFormat.decodeText(record.value()).getKind() == TextKind.ENDED ? 1 : 0;
      }
    }
    return this;
  }

  /** Events read so far. */
  public int size() {
    return values.values().stream().mapToInt(List::size).sum();
  }

  /** Events of all streams by stream, in order. */
  public Map<String, List<TextEvent>> events() throws Exception {
    Map<String, List<TextEvent>> events = new TreeMap<>();
    for (Map.Entry<String, List<byte[]>> stream : values.entrySet()) {
      List<TextEvent> decoded = new ArrayList<>();
      for (byte[] value : stream.getValue()) {
        decoded.add(WireFormat.decodeText(value));
      }
      events.put(stream.getKey(), decoded);
    }
    return events;
  }

  /** Record values by stream, in order, one character for each byte: comparable and readable. */
  public Map<String, List<String>> bytes() {
    Map<String, List<String>> all = new TreeMap<>();
    values.forEach(
        (stream, list) ->
            all.put(
                stream,
                list.stream()
                    .map(value -> new String(value, StandardCharsets.ISO_8859_1))
                    .toList()));
    return all;
  }

  @Override
  public void close() {
    consumer.close();
  }
}

// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.topology;

import io.everwatch.job.broker.EmbeddedBroker;
import io.everwatch.job.broker.TopicLimits;
import io.everwatch.job.broker.TopicNames;
import io.everwatch.job.broker.Topics;
import io.everwatch.job.config.EverwatchConfig;
import io.everwatch.schemas.ReceivedText;
import io.everwatch.schemas.TextEventReader;
import io.everwatch.schemas.TextReaderOptions;
import io.everwatch.schemas.TextReaderOptions.FromBeginning;
import io.everwatch.schemas.TextReaderOptions.Reading;
import io.everwatch.schemas.WireFormat;
import io.everwatch.schemas.avro.DeadLetter;
import io.everwatch.schemas.avro.FrameEvent;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Predicate;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.jspecify.annotations.Nullable;

/** A broker with its topics, and jobs on it; waits have a deadline and say what was there. */
final class House implements AutoCloseable {
  private static final Duration DEADLINE = Duration.ofSeconds(60);

  private final Path dir;
  private final String address;
  private final @Nullable EmbeddedBroker own;
  private final KafkaProducer<byte[], byte[]> producer;
  private int jobs;

  House(Path dir) throws Exception {
    this(dir, EmbeddedBroker.start(dir.resolve("kafka")));
  }

  private House(Path dir, EmbeddedBroker own) throws Exception {
    this(dir, own.address(), own);
  }

  /** At a broker of somebody else. */
  House(Path dir, String address) throws Exception {
    this(dir, address, null);
  }

  private House(Path dir, String address, @Nullable EmbeddedBroker own) throws Exception {
    this.dir = dir;
    this.address = address;
    this.own = own;
    Topics.create(client(), TopicNames.defaults(), TopicLimits.of(2));
    Map<String, Object> properties = new HashMap<>(client());
    properties.put("max.request.size", WireFormat.MAX_RECORD_BYTES);
    producer =
        new KafkaProducer<>(properties, new ByteArraySerializer(), new ByteArraySerializer());
  }

  /** {@code host:port} of its broker. */
  String address() {
    return address;
  }

  /** Properties of a client of its broker. */
  Map<String, Object> client() {
    return Map.of("bootstrap.servers", address);
  }

  /** Of the default group. */
  Path checkpoints() {
    return dir.resolve("checkpoints").resolve("everwatch");
  }

  EverwatchConfig config(String... keysAndValues) {
    List<String> all =
        new ArrayList<>(
            List.of(
                "brokers", address,
                "checkpoint.interval", "500 ms",
                "checkpoint.dir", dir.resolve("checkpoints").toString(),
                "recovery.max-outage", "1 min",
                "threads", "2"));
    all.addAll(List.of(keysAndValues));
    return EverwatchConfig.of(all.toArray(String[]::new));
  }

  LocalJob start(EverwatchConfig config, Optional<Path> restore) throws Exception {
    return LocalJob.start(config, dir.resolve("flink-" + jobs++), 0, restore);
  }

  void send(int partition, FrameEvent event) throws Exception {
    send(partition, event.getStreamId().getBytes(StandardCharsets.UTF_8), WireFormat.encode(event));
  }

  void send(int partition, byte @Nullable [] key, byte @Nullable [] value) throws Exception {
    sendTo(TopicNames.FRAMES, partition, key, value);
  }

  void sendTo(String topic, int partition, byte @Nullable [] key, byte @Nullable [] value)
      throws Exception {
    producer.send(new ProducerRecord<>(topic, partition, key, value)).get();
  }

  /** The frames topic takes its producers' times from now on, as {@link #sendAt} gives them. */
  void takeProducersTimes() throws Exception {
    try (Admin admin = Admin.create(client())) {
      admin
          .incrementalAlterConfigs(
              Map.of(
                  new ConfigResource(ConfigResource.Type.TOPIC, TopicNames.FRAMES),
                  List.of(
                      new AlterConfigOp(
                          new ConfigEntry("message.timestamp.type", "CreateTime"),
                          AlterConfigOp.OpType.SET))))
          .all()
          .get();
    }
  }

  /** A frame whose record was made when it was captured. */
  void sendAt(int partition, FrameEvent event) throws Exception {
    producer
        .send(
            new ProducerRecord<>(
                TopicNames.FRAMES,
                partition,
                event.getCaptureMicros() / 1000,
                event.getStreamId().getBytes(StandardCharsets.UTF_8),
                WireFormat.encode(event)))
        .get();
  }

  /** Frames before this offset are gone, as by retention. */
  void deleteFramesBefore(int partition, long offset) throws Exception {
    try (Admin admin = Admin.create(client())) {
      admin
          .deleteRecords(
              Map.of(
                  new TopicPartition(TopicNames.FRAMES, partition),
                  RecordsToDelete.beforeOffset(offset)))
          .all()
          .get();
    }
  }

  /** Puts a record where only the job should. */
  void tamper(String topic, String key, byte[] value) throws Exception {
    producer.send(new ProducerRecord<>(topic, key.getBytes(StandardCharsets.UTF_8), value)).get();
  }

  /** Committed events from the beginning, until one of them fulfils the condition. */
  List<ReceivedText> committedUntil(Predicate<List<ReceivedText>> enough) {
    TextReaderOptions options =
        TextReaderOptions.of(address, TopicNames.TEXT)
            .reading(Reading.COMMITTED)
            .start(new FromBeginning());
    List<ReceivedText> all = new ArrayList<>();
    Instant deadline = Instant.now().plus(DEADLINE);
    try (TextEventReader reader = TextEventReader.open(options)) {
      while (!enough.test(all)) {
        if (Instant.now().isAfter(deadline)) {
          throw new AssertionError("not enough after " + DEADLINE + ": " + all);
        }
        all.addAll(reader.poll(Duration.ofMillis(200)));
      }
    }
    return all;
  }

  /** Values of one stream's committed text, in order, as bytes. */
  List<byte[]> committedBytes(String streamId) {
    return bytes(streamId, "read_committed");
  }

  /** Values of one stream's text, in order, as a reader of that isolation gets them. */
  List<byte[]> bytes(String streamId, String isolation) {
    return read(TopicNames.TEXT, isolation).stream()
        .filter(record -> streamId.equals(new String(record.key(), StandardCharsets.UTF_8)))
        .map(ConsumerRecord::value)
        .toList();
  }

  List<DeadLetter> deadLetters() throws Exception {
    List<DeadLetter> letters = new ArrayList<>();
    for (ConsumerRecord<byte[], byte[]> record :
        read(TopicNames.DEAD_LETTERS, "read_uncommitted")) {
      letters.add(WireFormat.decodeDeadLetter(record.value()));
    }
    return letters;
  }

  /** All records that are there now. */
  private List<ConsumerRecord<byte[], byte[]>> read(String topic, String isolation) {
    Map<String, Object> properties = new HashMap<>(client());
    properties.put("isolation.level", isolation);
    try (KafkaConsumer<byte[], byte[]> consumer =
        new KafkaConsumer<>(properties, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
      List<TopicPartition> partitions =
          consumer.partitionsFor(topic).stream()
              .map(info -> new TopicPartition(info.topic(), info.partition()))
              .toList();
      consumer.assign(partitions);
      consumer.seekToBeginning(partitions);
      Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
      List<ConsumerRecord<byte[], byte[]>> records = new ArrayList<>();
      Instant deadline = Instant.now().plus(DEADLINE);
      while (partitions.stream()
          .anyMatch(partition -> consumer.position(partition) < ends.getOrDefault(partition, 0L))) {
        if (Instant.now().isAfter(deadline)) {
          throw new AssertionError(topic + " could not be read to its end " + ends);
        }
        consumer.poll(Duration.ofMillis(200)).forEach(records::add);
      }
      return records;
    }
  }

  @Override
  public void close() {
    producer.close();
    if (own != null) {
      own.close();
    }
  }
}

// SPDX-License-Identifier: Apache-2.0
package io.everwatch.schemas;

import io.everwatch.schemas.avro.TextEvent;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.LongSupplier;
import org.apache.kafka.clients.consumer.CloseOptions;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndTimestamp;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.errors.WakeupException;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads the text topic, live or committed (architecture §8). Reports each event once, unless its
 * bytes changed. An example project is in {@code docs/examples/text-reader}.
 *
 * <ul>
 *   <li><b>Order</b>: events of one stream come in the order in which they were written; streams
 *       among each other in any.
 *   <li><b>Partitions</b>: reads all of them itself, without a consumer group, new ones included;
 *       several readers each get everything. {@link TextReaderOptions#streams} selects.
 *   <li><b>Going on after a restart</b>: store {@link #positions} together with what was made of
 *       the events, and begin with {@link TextReaderOptions.FromPositions}. Nothing is stored at
 *       the broker.
 *   <li><b>Memory</b>: that of a Kafka consumer and of {@link TextReaderOptions#rememberedEvents}.
 *   <li><b>Errors</b>: a broker that goes away only makes {@link #poll} return nothing until it is
 *       back. What is no text event is skipped and counted ({@link #skipped}). A broker that
 *       refuses is a {@link TextReadException}, after which the reader can only be closed.
 *   <li><b>Threads</b>: one polls; {@link #close} may be called from any, such as a shutdown hook.
 * </ul>
 */
public final class TextEventReader implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(TextEventReader.class);
  private static final Duration CLOSING = Duration.ofSeconds(5);
  private static final long PARTITION_CHECK_NANOS = Duration.ofSeconds(10).toNanos();

  private final Consumer<byte[], byte[]> consumer;
  private final TextReaderOptions options;
  private final LongSupplier nanoClock;
  private final LastEvents last;
  private final Set<TopicPartition> partitions = new HashSet<>();
  private final Object polling = new Object();
  private long nextPartitionCheck;
  private long skipped;
  private volatile boolean closed;

  /**
   * Connects, finds the topic's partitions and fixes where to begin.
   *
   * @throws TextReadException when within {@link TextReaderOptions#timeout} no broker answers or it
   *     has no such topic
   */
  public static TextEventReader open(TextReaderOptions options) {
    Consumer<byte[], byte[]> consumer;
    try {
      consumer = new KafkaConsumer<>(properties(options));
    } catch (KafkaException e) {
      throw new TextReadException(
          "a reader of %s cannot be made: %s; check the brokers' addresses (%s) and the client's"
                  .formatted(options.topic(), rootMessage(e), options.brokers())
              + " properties",
          e);
    }
    try {
      return new TextEventReader(consumer, options, System::nanoTime);
    } catch (RuntimeException e) {
      consumer.close(CloseOptions.timeout(Duration.ZERO));
      throw e;
    }
  }

  TextEventReader(
      Consumer<byte[], byte[]> consumer, TextReaderOptions options, LongSupplier nanoClock) {
    this.consumer = consumer;
    this.options = options;
    this.nanoClock = nanoClock;
    last = new LastEvents(options.rememberedEvents());
    try {
      Set<TopicPartition> found = findPartitions();
      if (found.isEmpty()) {
        throw new TextReadException(
            "there is no topic %s at %s; start the job first, or create the topic, or check the name"
                .formatted(options.topic(), options.brokers()));
      }
      partitions.addAll(found);
      consumer.assign(partitions);
      seek();
    } catch (KafkaException e) {
      throw new TextReadException(
          "no answer about topic %s from %s within %d ms (%s); is the broker running, and is this"
                  .formatted(
                      options.topic(),
                      options.brokers(),
                      options.timeout().toMillis(),
                      rootMessage(e))
              + " the address that it advertises?",
          e);
    }
    nextPartitionCheck = nanoClock.getAsLong() + PARTITION_CHECK_NANOS;
  }

  /**
   * The next events, in the order of their partitions; empty when there were none in time or the
   * reader was closed meanwhile.
   *
   * @throws TextReadException when the broker refuses (permission, TLS); a broker that is away is
   *     no error
   */
  public List<ReceivedText> poll(Duration timeout) {
    synchronized (polling) {
      if (closed) {
        return List.of();
      }
      List<ReceivedText> events = new ArrayList<>();
      try {
        addNewPartitions();
        for (ConsumerRecord<byte[], byte[]> record : consumer.poll(timeout)) {
          received(record).ifPresent(events::add);
        }
      } catch (WakeupException closing) {
        return List.of();
      } catch (KafkaException e) {
        throw failed(e);
      }
      return events;
    }
  }

  private TextReadException failed(KafkaException e) {
    return new TextReadException(
        "reading %s from %s failed: %s"
            .formatted(options.topic(), options.brokers(), rootMessage(e)),
        e);
  }

  /**
   * Where the next {@link #poll} goes on, behind all that was returned so far: for {@link
   * TextReaderOptions.FromPositions}. Waits for a running poll.
   *
   * @return partition → offset of the next record
   * @throws IllegalStateException when the reader is closed
   */
  public Map<Integer, Long> positions() {
    synchronized (polling) {
      if (closed) {
        throw new IllegalStateException("the reader is closed; ask for its positions before");
      }
      try {
        Map<Integer, Long> positions = new TreeMap<>();
        partitions.forEach(
            one -> positions.put(one.partition(), consumer.position(one, options.timeout())));
        return positions;
      } catch (KafkaException e) {
        throw failed(e);
      }
    }
  }

  /** Records of the topic that were no text events, since the reader was opened. */
  public long skipped() {
    synchronized (polling) {
      return skipped;
    }
  }

  /** Ends a running {@link #poll} and releases the client. Idempotent. */
  @Override
  public void close() {
    closed = true;
    consumer.wakeup();
    synchronized (polling) {
      consumer.close(CloseOptions.timeout(CLOSING));
    }
  }

  private Optional<ReceivedText> received(ConsumerRecord<byte[], byte[]> record) {
    byte[] value = record.value() == null ? new byte[0] : record.value();
    TextEvent event;
    try {
      event = WireFormat.decodeText(value);
    } catch (WireFormatException e) {
      if (skipped++ == 0) {
        LOG.warn(
            "{} partition {} offset {}: {}. Skipped; further ones are only counted",
            record.topic(),
            record.partition(),
            record.offset(),
            e.getMessage());
      }
      return Optional.empty();
    }
    if (!options.streams().isEmpty() && !options.streams().contains(event.getStreamId())) {
      return Optional.empty();
    }
    LastEvents.Seen seen = last.put(event, value);
    if (seen == LastEvents.Seen.REPEATED) {
      return Optional.empty();
    }
    return Optional.of(
        new ReceivedText(
            event,
            EventHeaders.of(
                name -> {
                  Header header = record.headers().lastHeader(name);
                  return header == null ? null : header.value();
                }),
            record.partition(),
            record.offset(),
            record.timestamp(),
            seen == LastEvents.Seen.CHANGED));
  }

  private Set<TopicPartition> findPartitions() {
    List<PartitionInfo> infos = consumer.partitionsFor(options.topic(), options.timeout());
    Set<TopicPartition> found = new HashSet<>();
    if (infos != null) {
      infos.forEach(info -> found.add(new TopicPartition(info.topic(), info.partition())));
    }
    return found;
  }

  /** Each start is made definite here, so that records written after open are never missed. */
  private void seek() {
    TextReaderOptions.Start start = options.start();
    if (start instanceof TextReaderOptions.FromBeginning) {
      consumer.seekToBeginning(partitions);
      return;
    }
    if (start instanceof TextReaderOptions.FromPositions from) {
      consumer.seekToBeginning(partitions);
      partitions.forEach(
          one ->
              Optional.ofNullable(from.next().get(one.partition()))
                  .ifPresent(offset -> consumer.seek(one, offset)));
      return;
    }
    Map<TopicPartition, Long> offsets =
        new HashMap<>(consumer.endOffsets(partitions, options.timeout()));
    if (start instanceof TextReaderOptions.FromTime from) {
      Map<TopicPartition, Long> times = new HashMap<>();
      partitions.forEach(partition -> times.put(partition, from.instant().toEpochMilli()));
      for (Map.Entry<TopicPartition, OffsetAndTimestamp> found :
          consumer.offsetsForTimes(times, options.timeout()).entrySet()) {
        if (found.getValue() != null) {
          offsets.put(found.getKey(), found.getValue().offset());
        }
      }
    }
    offsets.forEach(consumer::seek);
  }

  private void addNewPartitions() {
    long now = nanoClock.getAsLong();
    if (now - nextPartitionCheck < 0) {
      return;
    }
    nextPartitionCheck = now + PARTITION_CHECK_NANOS;
    Set<TopicPartition> added;
    try {
      added = findPartitions();
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

  private static Map<String, Object> properties(TextReaderOptions options) {
    Map<String, Object> properties = new HashMap<>();
    properties.put("bootstrap.servers", options.brokers());
    properties.put("key.deserializer", ByteArrayDeserializer.class);
    properties.put("value.deserializer", ByteArrayDeserializer.class);
    properties.put(
        "isolation.level",
        options.reading() == TextReaderOptions.Reading.COMMITTED
            ? "read_committed"
            : "read_uncommitted");
    properties.put("enable.auto.commit", "false");
    properties.put("allow.auto.create.topics", "false");
    // A position that the broker no longer has (retention): go on with the oldest that it has.
    properties.put("auto.offset.reset", "earliest");
    properties.put("metadata.max.age.ms", "10000"); // new partitions show within that
    properties.put("reconnect.backoff.max.ms", "1000");
    properties.putAll(options.client());
    return properties;
  }

  private static String rootMessage(Throwable thrown) {
    Throwable root = thrown;
    while (root.getCause() != null) {
      root = root.getCause();
    }
    return Objects.requireNonNullElse(root.getMessage(), root.getClass().getSimpleName());
  }
}

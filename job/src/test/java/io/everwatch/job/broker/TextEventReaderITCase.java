// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.broker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.everwatch.schemas.EventHeaders;
import io.everwatch.schemas.ReceivedText;
import io.everwatch.schemas.TextEventReader;
import io.everwatch.schemas.TextReadException;
import io.everwatch.schemas.TextReaderOptions;
import io.everwatch.schemas.TextReaderOptions.FromBeginning;
import io.everwatch.schemas.TextReaderOptions.FromEnd;
import io.everwatch.schemas.TextReaderOptions.FromTime;
import io.everwatch.schemas.TextReaderOptions.Reading;
import io.everwatch.schemas.WireFormat;
import io.everwatch.schemas.avro.TextEvent;
import io.everwatch.schemas.avro.TextKind;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The two readings of the text topic, at a real broker. */
@Timeout(120)
class TextEventReaderITCase {
  private static final Duration DEADLINE = Duration.ofSeconds(60);

  @TempDir private Path dir;
  private EmbeddedBroker broker;
  private TextReaderOptions options;

  @BeforeEach
  void open() throws Exception {
    broker = EmbeddedBroker.start(dir);
    Topics.create(broker.clientProperties(), TopicNames.defaults(), TopicLimits.of(2));
    options =
        TextReaderOptions.of(broker.address(), TopicNames.TEXT)
            .start(new FromBeginning())
            .timeout(Duration.ofSeconds(30));
  }

  @AfterEach
  void close() {
    broker.close();
  }

  @Test
  void aCrashShowsNothingTwice() throws Exception {
    try (TextEventReader live = TextEventReader.open(options);
        TextEventReader committed = TextEventReader.open(options.reading(Reading.COMMITTED))) {
      try (KafkaProducer<byte[], byte[]> crashing = producer("t")) {
        crashing.initTransactions();
        crashing.beginTransaction();
        send(crashing, record(0, "one"));
        send(crashing, record(1, "two"));
        crashing.flush();
        assertThat(texts(live, 2)).containsExactly("0 one", "1 two");
        crashing.abortTransaction();
      }
      try (KafkaProducer<byte[], byte[]> again = producer("t")) {
        again.initTransactions();
        again.beginTransaction();
        send(again, record(0, "one"));
        send(again, record(1, "two"));
        send(again, record(2, "three"));
        again.commitTransaction();
      }
      assertThat(texts(live, 1)).containsExactly("2 three");
      assertThat(texts(committed, 3)).containsExactly("0 one", "1 two", "2 three");
    }
  }

  @Test
  void aCommittedReaderDoesNotSeeAnOpenTransaction() throws Exception {
    try (TextEventReader committed = TextEventReader.open(options.reading(Reading.COMMITTED));
        KafkaProducer<byte[], byte[]> producer = producer("t")) {
      producer.initTransactions();
      producer.beginTransaction();
      send(producer, record(0, "first"));
      producer.commitTransaction();
      assertThat(texts(committed, 1)).containsExactly("0 first");
      producer.beginTransaction();
      send(producer, record(1, "open"));
      producer.flush();
      assertThat(committed.poll(Duration.ofMillis(300))).isEmpty();
      producer.commitTransaction();
      assertThat(texts(committed, 1)).containsExactly("1 open");
    }
  }

  @Test
  void goesOnAfterTheBrokerWasAway() throws Exception {
    int port = Integer.parseInt(broker.address().substring("localhost:".length()));
    try (TextEventReader live = TextEventReader.open(options)) {
      send("before", 0);
      assertThat(texts(live, 1)).containsExactly("0 before");

      broker.close();
      assertThat(live.poll(Duration.ofMillis(300))).isEmpty();
      broker = EmbeddedBroker.start(dir, port);
      send("after", 1);

      assertThat(texts(live, 1)).containsExactly("1 after");
    }
  }

  @Test
  void beginsWhereItIsTold() throws Exception {
    send("old", 0);
    Instant between = Instant.ofEpochMilli(newestTimestamp() + 1);
    send("new", 1, between.toEpochMilli() + 5);
    try (TextEventReader fromTime = TextEventReader.open(options.start(new FromTime(between)));
        TextEventReader fromEnd = TextEventReader.open(options.start(new FromEnd()))) {
      send("next", 2);

      assertThat(texts(fromTime, 2)).containsExactly("1 new", "2 next");
      assertThat(texts(fromEnd, 1)).containsExactly("2 next");
    }
  }

  @Test
  void carriesTheTimesOfTheHeaders() throws Exception {
    send("one", 0);
    try (TextEventReader live = TextEventReader.open(options)) {
      assertThat(received(live, 1).get(0).headers())
          .isEqualTo(new EventHeaders(1, 2, 3, 4, 5, 6, 7));
    }
  }

  @Test
  void namesATopicThatDoesNotExist() {
    TextReaderOptions missing = TextReaderOptions.of(broker.address(), "no-such-topic");

    assertThatThrownBy(() -> TextEventReader.open(missing))
        .isInstanceOf(TextReadException.class)
        .hasMessageContaining("no topic no-such-topic at " + broker.address());
  }

  @Test
  void closeEndsAPollThatWaits() throws Exception {
    TextEventReader reader = TextEventReader.open(options);
    List<ReceivedText> polled = new ArrayList<>();
    Thread polling = new Thread(() -> polled.addAll(reader.poll(Duration.ofMinutes(10))));
    polling.start();

    reader.close();
    polling.join(30_000);

    assertThat(polling.isAlive()).isFalse();
    assertThat(polled).isEmpty();
  }

  private long newestTimestamp() {
    try (TextEventReader reader = TextEventReader.open(options)) {
      return received(reader, 1).get(0).writtenMillis();
    }
  }

  private static List<String> texts(TextEventReader reader, int count) {
    return received(reader, count).stream()
        .map(ReceivedText::event)
        .map(event -> event.getChunk() + " " + event.getText())
        .toList();
  }

  private static List<ReceivedText> received(TextEventReader reader, int count) {
    List<ReceivedText> all = new ArrayList<>();
    Instant deadline = Instant.now().plus(DEADLINE);
    while (all.size() < count) {
      assertThat(Instant.now()).as("only %s by now", all).isBefore(deadline);
      all.addAll(reader.poll(Duration.ofMillis(200)));
    }
    return all;
  }

  private static void send(
      KafkaProducer<byte[], byte[]> producer, ProducerRecord<byte[], byte[]> record)
      throws Exception {
    producer.send(record).get();
  }

  private void send(String text, long chunk) throws Exception {
    send(text, chunk, System.currentTimeMillis());
  }

  private void send(String text, long chunk, long timestamp) throws Exception {
    try (KafkaProducer<byte[], byte[]> producer = producer(null)) {
      ProducerRecord<byte[], byte[]> plain = record(chunk, text);
      producer
          .send(
              new ProducerRecord<>(
                  plain.topic(), 0, timestamp, plain.key(), plain.value(), plain.headers()))
          .get();
    }
  }

  private static ProducerRecord<byte[], byte[]> record(long chunk, String text) {
    TextEvent event =
        WireFormat.newTextEvent()
            .setStreamId("a")
            .setChunk(chunk)
            .setKind(TextKind.COMMENT)
            .setStartMicros(chunk)
            .setEndMicros(chunk + 1)
            .setText(text)
            .build();
    ProducerRecord<byte[], byte[]> record =
        new ProducerRecord<>(
            TopicNames.TEXT, 0, "a".getBytes(StandardCharsets.UTF_8), WireFormat.encode(event));
    new EventHeaders(1, 2, 3, 4, 5, 6, 7).toMap().forEach(record.headers()::add);
    return record;
  }

  private KafkaProducer<byte[], byte[]> producer(
      @org.jspecify.annotations.Nullable String transactionalId) {
    Map<String, Object> properties = new HashMap<>(broker.clientProperties());
    if (transactionalId != null) {
      properties.put("transactional.id", transactionalId);
    }
    return new KafkaProducer<>(properties, new ByteArraySerializer(), new ByteArraySerializer());
  }
}

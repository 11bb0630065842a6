// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.topology;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.everwatch.job.broker.EmbeddedBroker;
import io.everwatch.job.broker.TopicLimits;
import io.everwatch.job.broker.TopicNames;
import io.everwatch.job.broker.Topics;
import io.everwatch.operators.flink.StreamKey;
import io.everwatch.operators.flink.TextRecord;
import io.everwatch.schemas.EventHeaders;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInfo;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Which text is committed, asked of a real broker. */
@Timeout(60)
class KafkaCommittedTextITCase {
  private static final Duration LONG = Duration.ofSeconds(50);
  private static final long NOW = System.currentTimeMillis();

  @TempDir private static Path dir;
  private static EmbeddedBroker broker;

  private String topic = "";

  @BeforeAll
  static void open() throws Exception {
    broker = EmbeddedBroker.start(dir);
  }

  @AfterAll
  static void close() {
    broker.close();
  }

  @BeforeEach
  void ownTopic(TestInfo test) throws Exception {
    topic = test.getTestMethod().orElseThrow().getName();
    Topics.create(
        broker.clientProperties(),
        new TopicNames("frames", topic, "dlq", "commands"),
        TopicLimits.of(3));
  }

  @Test
  void tellsTheCommittedFromTheAborted() throws Exception {
    List<TextRecord> texts = texts(8);
    try (KafkaProducer<byte[], byte[]> producer = begin("tells")) {
      send(producer, texts.subList(0, 5));
      producer.commitTransaction();
      producer.beginTransaction();
      send(producer, texts.subList(5, 8));
      producer.abortTransaction();
    }
    assertThat(look(LONG).missing(texts)).isEqualTo(texts.subList(5, 8));
  }

  @Test
  void findsWhatWasAbortedOnceAndCommittedLater() throws Exception {
    List<TextRecord> texts = texts(4);
    try (KafkaProducer<byte[], byte[]> producer = begin("finds")) {
      send(producer, texts);
      producer.abortTransaction();
      producer.beginTransaction();
      send(producer, texts);
      producer.commitTransaction();
    }
    assertThat(look(LONG).missing(texts)).isEmpty();
  }

  @Test
  void missesAllThatTheTopicDoesNotHave() throws Exception {
    List<TextRecord> texts = texts(3);

    assertThat(look(LONG).missing(texts)).isEqualTo(texts);
  }

  @Test
  void waitsForTheTransactionThatHoldsTheText() throws Exception {
    List<TextRecord> texts = texts(4);
    try (KafkaProducer<byte[], byte[]> producer = begin("waits")) {
      send(producer, texts);
      CompletableFuture<List<TextRecord>> missing =
          CompletableFuture.supplyAsync(() -> missing(LONG, texts));
      assertThat(missing).as("as long as it is open").isNotCompleted();
      producer.commitTransaction();

      assertThat(missing.get(30, TimeUnit.SECONDS)).isEmpty();
    }
  }

  @Test
  void doesNotWaitForTransactionsThatBeganLater() throws Exception {
    List<TextRecord> texts = texts(4);
    try (KafkaProducer<byte[], byte[]> producer = begin("first");
        KafkaProducer<byte[], byte[]> later = begin("later")) {
      send(producer, texts);
      producer.commitTransaction();
      send(later, texts(9).subList(4, 9)); // another subtask that is through already

      assertThat(look(LONG).missing(texts)).isEmpty();
      later.abortTransaction();
    }
  }

  @Test
  void refusesToDecideWhileItCannotBeKnown() throws Exception {
    List<TextRecord> texts = texts(4);
    try (KafkaProducer<byte[], byte[]> producer = begin("refuses")) {
      send(producer, texts);

      assertThatThrownBy(() -> look(Duration.ofSeconds(1)).missing(texts))
          .isInstanceOf(IOException.class)
          .hasMessageContaining(topic)
          .hasMessageContaining("open transaction")
          .hasMessageContaining("nothing is written");
      producer.abortTransaction();
    }
  }

  @Test
  void readsOnlyFromTheTimeOfTheOldestText() throws Exception {
    List<TextRecord> old = new ArrayList<>();
    texts(3)
        .forEach(
            text ->
                old.add(
                    new TextRecord(text.key(), text.value(), text.headers(), NOW - 3_600_000, 0)));
    try (KafkaProducer<byte[], byte[]> producer = begin("reads")) {
      send(producer, old);
      producer.commitTransaction();
    }
    assertThat(look(LONG).missing(old)).isEmpty();
    List<TextRecord> claimed = texts(3); // the same bytes, said to be of now
    assertThat(look(LONG).missing(claimed)).isEqualTo(claimed);
  }

  private List<TextRecord> missing(Duration limit, List<TextRecord> texts) {
    try {
      return look(limit).missing(texts);
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }

  private KafkaCommittedText look(Duration limit) {
    return new KafkaCommittedText(Map.of("bootstrap.servers", broker.address()), topic, limit);
  }

  private static List<TextRecord> texts(int count) {
    List<TextRecord> texts = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      byte[] value = ("text " + i).getBytes(StandardCharsets.UTF_8);
      texts.add(new TextRecord(StreamKey.of("stream-" + i), value, EventHeaders.NONE, NOW + i, 0));
    }
    return texts;
  }

  private KafkaProducer<byte[], byte[]> begin(String id) {
    Map<String, Object> properties = new HashMap<>(broker.clientProperties());
    properties.put("transactional.id", id);
    KafkaProducer<byte[], byte[]> producer =
        new KafkaProducer<>(properties, new ByteArraySerializer(), new ByteArraySerializer());
    producer.initTransactions();
    producer.beginTransaction();
    return producer;
  }

  private void send(KafkaProducer<byte[], byte[]> producer, List<TextRecord> texts)
      throws Exception {
    for (TextRecord text : texts) {
      producer
          .send(
              new ProducerRecord<>(
                  topic,
                  null,
                  text.givenMillis(),
                  text.streamId().getBytes(StandardCharsets.UTF_8),
                  text.value()))
          .get();
    }
  }
}

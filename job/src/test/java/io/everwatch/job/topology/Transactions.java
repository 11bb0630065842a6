// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.topology;

import io.everwatch.job.broker.TopicLimits;
import io.everwatch.job.broker.TopicNames;
import io.everwatch.job.broker.Topics;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ListOffsetsOptions;
import org.apache.kafka.clients.admin.ListOffsetsResult.ListOffsetsResultInfo;
import org.apache.kafka.clients.admin.ListTransactionsOptions;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.TransactionListing;
import org.apache.kafka.clients.admin.TransactionState;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.IsolationLevel;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/** The broker's side of transactions: what is open, and what a crash leaves behind. */
final class Transactions implements AutoCloseable {
  private final Map<String, Object> client;
  private final Admin admin;
  private final List<KafkaProducer<byte[], byte[]>> crashed = new ArrayList<>();

  Transactions(Map<String, Object> client) {
    this.client = client;
    admin = Admin.create(client);
  }

  /** Ids of those that are open now. */
  Set<String> open() throws Exception {
    return admin
        .listTransactions(
            new ListTransactionsOptions().filterStates(List.of(TransactionState.ONGOING)))
        .all()
        .get()
        .stream()
        .map(TransactionListing::transactionalId)
        .collect(Collectors.toCollection(TreeSet::new));
  }

  /** What the broker does when a transaction has been open for too long. */
  void abort(Collection<String> ids) throws Exception {
    admin.fenceProducers(ids).all().get();
  }

  /** A process dies with this transaction open and these values in it; the broker keeps it open. */
  void crash(String id, String key, List<byte[]> values) throws Exception {
    Map<String, Object> properties = new HashMap<>(client);
    properties.put("transactional.id", id);
    properties.put("transaction.timeout.ms", "600000");
    KafkaProducer<byte[], byte[]> producer =
        new KafkaProducer<>(properties, new ByteArraySerializer(), new ByteArraySerializer());
    crashed.add(producer);
    producer.initTransactions();
    producer.beginTransaction();
    for (byte[] value : values) {
      producer
          .send(new ProducerRecord<>(TopicNames.TEXT, key.getBytes(StandardCharsets.UTF_8), value))
          .get();
    }
  }

  /** Where each partition of the text topic ends for a reader. */
  Map<TopicPartition, Long> ends(IsolationLevel isolation) throws Exception {
    Map<TopicPartition, OffsetSpec> latest = new HashMap<>();
    admin
        .describeTopics(List.of(TopicNames.TEXT))
        .allTopicNames()
        .get()
        .values()
        .forEach(
            topic ->
                topic
                    .partitions()
                    .forEach(
                        one ->
                            latest.put(
                                new TopicPartition(topic.name(), one.partition()),
                                OffsetSpec.latest())));
    return admin
        .listOffsets(latest, new ListOffsetsOptions(isolation))
        .all()
        .get()
        .entrySet()
        .stream()
        .collect(Collectors.toMap(Map.Entry::getKey, end -> offset(end.getValue())));
  }

  private static long offset(ListOffsetsResultInfo info) {
    return info.offset();
  }

  /** Waits until readers of committed text may read all that is there now. */
  Duration untilReadable(Duration limit) throws Exception {
    Instant began = Instant.now();
    Map<TopicPartition, Long> written = ends(IsolationLevel.READ_UNCOMMITTED);
    while (true) {
      Map<TopicPartition, Long> readable = ends(IsolationLevel.READ_COMMITTED);
      if (written.entrySet().stream()
          .allMatch(end -> readable.getOrDefault(end.getKey(), 0L) >= end.getValue())) {
        return Duration.between(began, Instant.now());
      }
      if (Instant.now().isAfter(began.plus(limit))) {
        throw new AssertionError(
            "after %s readers stand at %s, written up to %s; open: %s"
                .formatted(limit, readable, written, open()));
      }
    }
  }

  /** Somebody deletes the text topic and makes it again. */
  void makeTopicAnew() throws Exception {
    admin.deleteTopics(List.of(TopicNames.TEXT)).all().get();
    Topics.create(client, TopicNames.defaults(), TopicLimits.of(2));
  }

  @Override
  public void close() {
    crashed.forEach(producer -> producer.close(Duration.ZERO));
    admin.close();
  }
}

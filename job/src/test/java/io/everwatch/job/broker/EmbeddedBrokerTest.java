// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.broker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.BindException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EmbeddedBrokerTest {
  @TempDir private Path dir;

  @Test
  void keepsItsRecordsAndItsPortOverARestart() throws Exception {
    int port;
    try (EmbeddedBroker broker = EmbeddedBroker.start(dir)) {
      port = Integer.parseInt(broker.address().substring("localhost:".length()));
      Topics.create(broker.clientProperties(), TopicNames.defaults(), TopicLimits.of(2));
      send(broker, TopicNames.FRAMES, new byte[] {7});
    }
    try (EmbeddedBroker broker = EmbeddedBroker.start(dir, port)) {
      assertThat(broker.address()).isEqualTo("localhost:" + port);
      assertThat(read(broker, TopicNames.FRAMES)).containsExactly(7);
    }
  }

  @Test
  void takesAFrameOfThreeMebibytesAndRefusesOneAboveTheLimit() throws Exception {
    try (EmbeddedBroker broker = EmbeddedBroker.start(dir)) {
      Topics.create(broker.clientProperties(), TopicNames.defaults(), TopicLimits.of(1));

      send(broker, TopicNames.FRAMES, new byte[3 << 20]);
      assertThat(read(broker, TopicNames.FRAMES)).hasSize(3 << 20);

      assertThatThrownBy(() -> send(broker, TopicNames.FRAMES, new byte[9 << 20]))
          .isInstanceOf(ExecutionException.class)
          .hasCauseInstanceOf(RecordTooLargeException.class);
    }
  }

  @Test
  void existingTopicsAreLeftAloneAndTheirShortcomingsNamed() throws Exception {
    try (EmbeddedBroker broker = EmbeddedBroker.start(dir)) {
      TopicLimits small = TopicLimits.of(1).withMaxFrameBytes(4096);
      assertThat(Topics.create(broker.clientProperties(), TopicNames.defaults(), small))
          .hasSize(4)
          .allMatch(Topics.Outcome::created);

      List<Topics.Outcome> again =
          Topics.create(broker.clientProperties(), TopicNames.defaults(), TopicLimits.of(8));

      assertThat(again).noneMatch(Topics.Outcome::created).allMatch(it -> it.partitions() == 1);
      assertThat(again.get(0).warning()).contains("4096").contains("8388608");
      assertThat(again.get(1).warning()).isEmpty();
    }
  }

  @Test
  void aTakenPortIsNamed() throws Exception {
    try (ServerSocket other = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      assertThatThrownBy(() -> EmbeddedBroker.start(dir, other.getLocalPort()))
          .isInstanceOf(BindException.class)
          .hasMessageContaining("localhost:" + other.getLocalPort());
    }
  }

  @Test
  void aTakenControllerPortIsAnExceptionToo() throws Exception {
    try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
        ServerSocket other = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      int port = free.getLocalPort();
      free.close();
      assertThatThrownBy(() -> EmbeddedBroker.start(dir, port, other.getLocalPort()))
          .isInstanceOf(BindException.class);
    }
  }

  @Test
  void anUnreachableBrokerIsAMessageWithinTheLimit() throws Exception {
    int nobody;
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      nobody = socket.getLocalPort();
    }
    long start = System.nanoTime();
    assertThatThrownBy(
            () ->
                Brokers.requireReachable(
                    Map.of("bootstrap.servers", "localhost:" + nobody), Duration.ofSeconds(2)))
        .isInstanceOf(UnreachableBrokerException.class)
        .hasMessageContaining("localhost:" + nobody)
        .hasMessageContaining("2 s")
        .hasMessageContaining("is it running");
    assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(10));
  }

  private static void send(EmbeddedBroker broker, String topic, byte[] value) throws Exception {
    Map<String, Object> properties = new HashMap<>(broker.clientProperties());
    properties.put("max.request.size", 16 << 20);
    try (KafkaProducer<byte[], byte[]> producer =
        new KafkaProducer<>(properties, new ByteArraySerializer(), new ByteArraySerializer())) {
      producer.send(new ProducerRecord<>(topic, 0, null, value)).get();
    }
  }

  private static byte[] read(EmbeddedBroker broker, String topic) {
    Map<String, Object> properties = new HashMap<>(broker.clientProperties());
    properties.put("auto.offset.reset", "earliest");
    try (KafkaConsumer<byte[], byte[]> consumer =
        new KafkaConsumer<>(properties, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
      consumer.assign(List.of(new TopicPartition(topic, 0)));
      return consumer.poll(Duration.ofSeconds(20)).iterator().next().value();
    }
  }
}

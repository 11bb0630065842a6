// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.camera;

import io.everwatch.job.broker.TopicNames;
import io.everwatch.job.process.Await;
import io.everwatch.schemas.WireFormat;
import io.everwatch.schemas.avro.FrameEvent;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.StringDeserializer;

/** Cameras as settings name them, running against a broker, and what came of them. */
final class Watched implements AutoCloseable {
  private static final Duration PATIENCE = Duration.ofSeconds(30);

  private final Map<String, Object> client;
  private final FrameTopic topic;
  private final CameraFleet fleet;
  final List<String> news = new ArrayList<>();

  Watched(Map<String, Object> client, List<CameraSettings> cameras) throws IOException {
    this.client = client;
    topic = new FrameTopic(client, TopicNames.FRAMES, cameras.size());
    fleet = new CameraFleet(cameras);
    fleet.start(
        topic,
        new CameraFleet.Play(0, false),
        line -> {
          synchronized (news) {
            news.add(line);
          }
        });
  }

  /** Settings by their names; impatient unless they say otherwise. */
  static CameraSettings settings(String... namesAndValues) {
    Map<String, Given> given = new LinkedHashMap<>();
    give(given, "open-timeout", "3s", "frame-timeout", "2s", "retry-first", "50ms");
    give(given, "retry-longest", "300ms", "fps", "10");
    give(given, namesAndValues);
    List<String> problems = new ArrayList<>();
    return CameraKeys.read(given, Map.of(), "", problems)
        .orElseThrow(() -> new AssertionError(problems));
  }

  private static void give(Map<String, Given> given, String... namesAndValues) {
    for (int i = 0; i < namesAndValues.length; i += 2) {
      given.put(namesAndValues[i], Given.of(namesAndValues[i + 1], namesAndValues[i]));
    }
  }

  CameraMeter meter(int camera) {
    return fleet.meters().get(camera);
  }

  void until(String what, Callable<Boolean> condition) throws Exception {
    Await.until(
        what,
        PATIENCE,
        condition,
        () -> String.join("\n", new CameraReport(fleet.meters()).json()));
  }

  /** Stops in good order and waits for it. */
  void stop() throws Exception {
    fleet.stop();
    awaitEnd();
  }

  void awaitEnd() throws Exception {
    until("the end of all cameras", () -> fleet.awaitEnd(Duration.ofMillis(1)));
  }

  /** The stream's records, all that are there now. */
  List<FrameEvent> events(String stream) throws Exception {
    try (KafkaConsumer<String, byte[]> consumer =
        new KafkaConsumer<>(
            Map.copyOf(client), new StringDeserializer(), new ByteArrayDeserializer())) {
      List<TopicPartition> partitions =
          consumer.partitionsFor(TopicNames.FRAMES).stream()
              .map(info -> new TopicPartition(info.topic(), info.partition()))
              .toList();
      consumer.assign(partitions);
      consumer.seekToBeginning(partitions);
      Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
      List<FrameEvent> events = new ArrayList<>();
      while (partitions.stream().anyMatch(p -> consumer.position(p) < ends.getOrDefault(p, 0L))) {
        for (ConsumerRecord<String, byte[]> record : consumer.poll(Duration.ofMillis(200))) {
          if (record.key().equals(stream)) {
            events.add(WireFormat.decodeFrame(record.value()));
          }
        }
      }
      return events;
    }
  }

  @Override
  public void close() throws IOException {
    fleet.close();
    topic.close(Duration.ofSeconds(5));
  }
}

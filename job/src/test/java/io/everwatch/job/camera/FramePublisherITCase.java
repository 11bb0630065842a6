// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.camera;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.everwatch.job.broker.EmbeddedBroker;
import io.everwatch.job.broker.TopicLimits;
import io.everwatch.job.broker.TopicNames;
import io.everwatch.job.broker.Topics;
import io.everwatch.job.camera.FramePublisher.Published;
import io.everwatch.job.scene.RoadScene;
import io.everwatch.operators.model.EncodedFrame;
import io.everwatch.operators.model.EncodedFrame.Encoding;
import io.everwatch.schemas.WireFormat;
import io.everwatch.schemas.avro.FrameEncoding;
import io.everwatch.schemas.avro.FrameEvent;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FramePublisherITCase {
  private static final long START = 1_700_000_000_000_000L;
  private static final Duration READING = Duration.ofSeconds(30);

  @TempDir private static Path dir;
  private static EmbeddedBroker broker;

  @BeforeAll
  static void startBroker() throws IOException {
    broker = EmbeddedBroker.start(dir);
    Topics.create(broker.clientProperties(), TopicNames.defaults(), TopicLimits.of(4));
  }

  @AfterAll
  static void stopBroker() {
    broker.close();
  }

  @Test
  void aStreamArrivesWholeInOrderInOnePartitionWithItsEnd() throws Exception {
    RoadScene scene = RoadScene.ofSeed(6);
    Published published;
    try (FramePublisher publisher = publisher();
        FrameSource source = tenSeconds(scene)) {
      published = publisher.publish("gate", source, START, Pace.fast());
    }

    List<ConsumerRecord<String, byte[]>> records = read("gate", 21);
    assertThat(records)
        .extracting(ConsumerRecord::partition)
        .containsOnly(records.get(0).partition());
    long bytes = 0;
    try (FrameSource again = tenSeconds(scene)) {
      for (int i = 0; i < 20; i++) {
        EncodedFrame picture = again.next().orElseThrow().picture();
        assertThat(WireFormat.decodeFrame(records.get(i).value()))
            .isEqualTo(
                FrameEvent.newBuilder()
                    .setStreamId("gate")
                    .setSequence(i)
                    .setCaptureMicros(START + i * 500_000L)
                    .setEncoding(FrameEncoding.PNG)
                    .setWidth(112)
                    .setHeight(112)
                    .setBytes(ByteBuffer.wrap(picture.bytes()))
                    .build());
        bytes += picture.bytes().length;
      }
    }
    FrameEvent end = WireFormat.decodeFrame(records.get(20).value());
    assertThat(end.getEndOfStream()).isTrue();
    assertThat(end.getSequence()).isEqualTo(20);
    assertThat(end.getCaptureMicros()).isEqualTo(START + 9_500_000L);
    assertThat(end.getBytes().remaining()).isZero();
    assertThat(published).isEqualTo(new Published(20, bytes));
  }

  @Test
  void paceIsAskedWithEachCaptureTime() throws Exception {
    List<Long> asked = new ArrayList<>();
    try (FramePublisher publisher = publisher();
        FrameSource source = tenSeconds(RoadScene.ofSeed(1))) {
      publisher.publish("paced", source, START, asked::add);
    }
    assertThat(asked)
        .isEqualTo(IntStream.range(0, 20).mapToObj(i -> START + i * 500_000L).toList());
  }

  @Test
  void aFrameTooLargeForTheTopicIsNamedBeforeItIsSent() {
    FrameSource huge = of(picture(9 << 20));
    try (FramePublisher publisher = publisher()) {
      assertThatThrownBy(() -> publisher.publish("huge", huge, START, Pace.fast()))
          .isInstanceOf(IOException.class)
          .hasMessageContaining("frame 0 of stream huge makes a record of 9437")
          .hasMessageContaining("Send JPEG, or smaller pictures");
    }
  }

  @Test
  void theLargestFrameAllowedPasses() throws Exception {
    int largest = WireFormat.MAX_RECORD_BYTES - 1024 - 100;
    try (FramePublisher publisher = publisher()) {
      assertThat(publisher.publish("large", of(picture(largest)), START, Pace.fast()).bytes())
          .isEqualTo(largest);
    }
    assertThat(read("large", 2)).hasSize(2);
  }

  @Test
  void aTopicThatRefusesIsNamedWithWhatToCheck() {
    TopicNames names = new TopicNames("small.frames", "small.text", "small.dlq", "small.commands");
    Topics.create(broker.clientProperties(), names, TopicLimits.of(1).withMaxFrameBytes(2048));
    try (FramePublisher publisher = new FramePublisher(broker.clientProperties(), names.frames())) {
      assertThatThrownBy(() -> publisher.publish("s", of(picture(100_000)), START, Pace.fast()))
          .isInstanceOf(IOException.class)
          .hasMessageContaining("did not take a frame of stream s on topic small.frames")
          .hasMessageContaining("max.message.bytes of 8388608");
    }
  }

  @Test
  void interruptionEndsTheStreamWithoutAnEndRecord() throws Exception {
    Pace interruptedAtThird =
        captureMicros -> {
          if (captureMicros == START + 1_000_000) {
            throw new InterruptedException();
          }
        };
    try (FramePublisher publisher = publisher();
        FrameSource source = tenSeconds(RoadScene.ofSeed(2))) {
      assertThatThrownBy(() -> publisher.publish("cut", source, START, interruptedAtThird))
          .isInstanceOf(InterruptedException.class);
    }
    List<ConsumerRecord<String, byte[]>> records = read("cut", 2);
    assertThat(records).hasSize(2);
    for (ConsumerRecord<String, byte[]> record : records) {
      assertThat(WireFormat.decodeFrame(record.value()).getEndOfStream()).isFalse();
    }
  }

  private static FramePublisher publisher() {
    return new FramePublisher(broker.clientProperties(), TopicNames.FRAMES);
  }

  private static FrameSource tenSeconds(RoadScene scene) {
    return new LimitedSource(new RoadSceneSource(scene), Duration.ofSeconds(10));
  }

  private static EncodedFrame picture(int bytes) {
    return new EncodedFrame(Encoding.JPEG, 64, 64, new byte[bytes]);
  }

  private static FrameSource of(EncodedFrame... pictures) {
    Iterator<EncodedFrame> left = List.of(pictures).iterator();
    return new FrameSource() {
      @Override
      public Optional<CameraFrame> next() {
        return left.hasNext() ? Optional.of(new CameraFrame(0, left.next())) : Optional.empty();
      }

      @Override
      public void close() {}
    };
  }

  /** The stream's records, all that are there once {@code atLeast} have come. */
  private static List<ConsumerRecord<String, byte[]>> read(String stream, int atLeast) {
    try (KafkaConsumer<String, byte[]> consumer =
        new KafkaConsumer<>(
            Map.copyOf(broker.clientProperties()),
            new StringDeserializer(),
            new ByteArrayDeserializer())) {
      List<TopicPartition> partitions =
          consumer.partitionsFor(TopicNames.FRAMES).stream()
              .map((PartitionInfo info) -> new TopicPartition(info.topic(), info.partition()))
              .toList();
      consumer.assign(partitions);
      consumer.seekToBeginning(partitions);
      List<ConsumerRecord<String, byte[]>> records = new ArrayList<>();
      long deadline = System.nanoTime() + READING.toNanos();
      Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
      while (partitions.stream().anyMatch(p -> consumer.position(p) < ends.getOrDefault(p, 0L))) {
        assertThat(System.nanoTime()).as("deadline of reading " + stream).isLessThan(deadline);
        for (ConsumerRecord<String, byte[]> record : consumer.poll(Duration.ofMillis(200))) {
          if (record.key().equals(stream)) {
            records.add(record);
          }
        }
      }
      assertThat(records).hasSizeGreaterThanOrEqualTo(atLeast);
      return records;
    }
  }
}

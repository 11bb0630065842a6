// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.camera;

import io.everwatch.operators.model.EncodedFrame;
import io.everwatch.schemas.WireFormat;
import io.everwatch.schemas.avro.FrameEncoding;
import io.everwatch.schemas.avro.FrameEvent;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.Future;
import java.util.function.Consumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.errors.InterruptException;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.jspecify.annotations.Nullable;

/**
 * The frames topic, written to by one idempotent producer. The key is the stream ID, so that a
 * stream stays in one partition and in order. Thread-safe.
 */
public final class FrameTopic implements AutoCloseable {
  /** What the record's key and framing take of the topic's limit, generously. */
  private static final int OVERHEAD_BYTES = 1024;

  /** Kafka's own. */
  private static final long BUFFER_BYTES = 32 << 20;

  /** So that the streams of a partition whose broker is away leave room for the others. */
  private static final long BUFFER_BYTES_PER_STREAM = 2 << 20;

  static {
    WireFormat.trustGeneratedClasses();
  }

  private final KafkaProducer<String, byte[]> producer;
  private final String name;

  /**
   * Connects when the first frame is sent.
   *
   * @param client properties of a Kafka client, {@code bootstrap.servers} among them
   * @param streams that will be written
   */
  public FrameTopic(Map<String, Object> client, String name, int streams) {
    this.name = name;
    this.producer =
        new KafkaProducer<>(
            producerProperties(client, streams), new StringSerializer(), new ByteArraySerializer());
  }

  /** Measured for pictures of 100 KB; what the caller gave wins. */
  private static Map<String, Object> producerProperties(Map<String, Object> client, int streams) {
    Map<String, Object> all = new HashMap<>();
    all.put(ProducerConfig.ACKS_CONFIG, "all");
    all.put(ProducerConfig.ENABLE_IDEMPOTENCE_CONFIG, true);
    all.put(ProducerConfig.MAX_REQUEST_SIZE_CONFIG, WireFormat.MAX_RECORD_BYTES);
    all.put(ProducerConfig.BATCH_SIZE_CONFIG, 1 << 20);
    all.put(ProducerConfig.LINGER_MS_CONFIG, 5);
    all.put(ProducerConfig.COMPRESSION_TYPE_CONFIG, "none"); // pictures are compressed already
    all.put(
        ProducerConfig.BUFFER_MEMORY_CONFIG,
        Math.max(BUFFER_BYTES, streams * BUFFER_BYTES_PER_STREAM));
    all.putAll(client);
    return all;
  }

  String name() {
    return name;
  }

  static FrameEvent frameEvent(
      String streamId, long sequence, long captureMicros, EncodedFrame picture) {
    return WireFormat.newFrameEvent()
        .setStreamId(streamId)
        .setSequence(sequence)
        .setCaptureMicros(captureMicros)
        .setEncoding(
            switch (picture.encoding()) {
              case JPEG -> FrameEncoding.JPEG;
              case PNG -> FrameEncoding.PNG;
              case RGB24 -> FrameEncoding.RGB24;
            })
        .setWidth(picture.width())
        .setHeight(picture.height())
        .setBytes(ByteBuffer.wrap(picture.bytes()))
        .build();
  }

  static FrameEvent endEvent(String streamId, long sequence, long captureMicros) {
    return WireFormat.newFrameEvent()
        .setStreamId(streamId)
        .setSequence(sequence)
        .setCaptureMicros(captureMicros)
        .setEndOfStream(true)
        .build();
  }

  /**
   * Hands an event to the producer; may wait until there is room.
   *
   * @param outcome is given null, or why the broker does not have it; in another thread or this one
   * @throws IOException when it is too large, or refused at once
   * @throws InterruptException when the thread is interrupted
   */
  void send(FrameEvent event, Consumer<@Nullable Exception> outcome) throws IOException {
    String streamId = event.getStreamId();
    byte[] value = WireFormat.encode(event);
    int limit = WireFormat.MAX_RECORD_BYTES - OVERHEAD_BYTES;
    if (value.length > limit) {
      throw new IOException(
          "frame %d of stream %s makes a record of %d bytes; the topic takes at most %d. Send JPEG, or smaller pictures"
              .formatted(event.getSequence(), streamId, value.length, limit));
    }
    try {
      // the callback hears of a failure
      Future<RecordMetadata> unused =
          producer.send(
              new ProducerRecord<>(name, streamId, value),
              (metadata, failure) -> outcome.accept(failure));
    } catch (InterruptException e) {
      throw e;
    } catch (KafkaException e) {
      throw refusal(streamId, e);
    }
  }

  /** Waits until the broker has answered for all that was sent. */
  void flush() {
    producer.flush();
  }

  /** What people are told when the broker does not take a frame. */
  IOException refusal(String streamId, Exception failure) {
    return new IOException(
        "the broker did not take a frame of stream %s on topic %s (%s); is the topic there, with max.message.bytes of %d, and may this client write?"
            .formatted(streamId, name, failure.getMessage(), WireFormat.MAX_RECORD_BYTES),
        failure);
  }

  /** Waits for what was sent, but no longer than this. */
  public void close(Duration limit) {
    producer.close(limit);
  }

  /** Waits for what was sent. */
  @Override
  public void close() {
    producer.close();
  }
}

// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.camera;

import io.everwatch.operators.model.EncodedFrame;
import io.everwatch.schemas.WireFormat;
import io.everwatch.schemas.avro.FrameEncoding;
import io.everwatch.schemas.avro.FrameEvent;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicReference;
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
 * Plays frame sources onto the frames topic, one thread per stream, all through one idempotent
 * producer. The key is the stream ID, so that a stream stays in one partition and in order.
 */
public final class FramePublisher implements AutoCloseable {
  /** What the record's key and framing take of the topic's limit, generously. */
  private static final int OVERHEAD_BYTES = 1024;

  static {
    WireFormat.trustGeneratedClasses();
  }

  private final KafkaProducer<String, byte[]> producer;
  private final String topic;

  /**
   * Connects when the first stream is published.
   *
   * @param client properties of a Kafka client, {@code bootstrap.servers} among them
   */
  public FramePublisher(Map<String, Object> client, String topic) {
    this.topic = topic;
    this.producer =
        new KafkaProducer<>(
            producerProperties(client), new StringSerializer(), new ByteArraySerializer());
  }

  /** Measured for pictures of 100 KB; what the caller gave wins. */
  private static Map<String, Object> producerProperties(Map<String, Object> client) {
    Map<String, Object> all = new HashMap<>();
    all.put(ProducerConfig.ACKS_CONFIG, "all");
    all.put(ProducerConfig.ENABLE_IDEMPOTENCE_CONFIG, true);
    all.put(ProducerConfig.MAX_REQUEST_SIZE_CONFIG, WireFormat.MAX_RECORD_BYTES);
    all.put(ProducerConfig.BATCH_SIZE_CONFIG, 1 << 20);
    all.put(ProducerConfig.LINGER_MS_CONFIG, 5);
    all.put(ProducerConfig.COMPRESSION_TYPE_CONFIG, "none"); // pictures are compressed already
    all.putAll(client);
    return all;
  }

  /**
   * What was published.
   *
   * @param frames the end-of-stream record not among them
   * @param bytes of the pictures
   */
  public record Published(long frames, long bytes) {}

  /**
   * Publishes a source to its end, then an end-of-stream record, and returns when the broker has
   * acknowledged all of it. Sequences count from 0. Does not close the source.
   *
   * @param startMicros capture time of the source's start, microseconds since the epoch
   * @throws IOException when the source fails, a record is too large, or the broker refuses one
   * @throws InterruptedException when the thread is interrupted; no end-of-stream record is written
   */
  public Published publish(String streamId, FrameSource source, long startMicros, Pace pace)
      throws IOException, InterruptedException {
    AtomicReference<@Nullable Exception> refused = new AtomicReference<>();
    long frames = 0;
    long bytes = 0;
    long lastMicros = startMicros;
    try {
      for (Optional<CameraFrame> next = source.next(); next.isPresent(); next = source.next()) {
        EncodedFrame picture = next.get().picture();
        lastMicros = startMicros + next.get().offsetMicros();
        pace.await(lastMicros);
        send(frameEvent(streamId, frames, lastMicros, picture), refused);
        frames++;
        bytes += picture.bytes().length;
      }
      send(endEvent(streamId, frames, lastMicros), refused);
      producer.flush();
    } catch (InterruptException e) {
      Thread.interrupted(); // Kafka sets it again besides throwing
      InterruptedException interrupted = new InterruptedException("stream " + streamId);
      interrupted.initCause(e);
      throw interrupted;
    }
    throwIfRefused(streamId, refused);
    return new Published(frames, bytes);
  }

  private static FrameEvent frameEvent(
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

  private static FrameEvent endEvent(String streamId, long sequence, long captureMicros) {
    return WireFormat.newFrameEvent()
        .setStreamId(streamId)
        .setSequence(sequence)
        .setCaptureMicros(captureMicros)
        .setEndOfStream(true)
        .build();
  }

  private void send(FrameEvent event, AtomicReference<@Nullable Exception> refused)
      throws IOException {
    String streamId = event.getStreamId();
    throwIfRefused(streamId, refused);
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
              new ProducerRecord<>(topic, streamId, value),
              (metadata, failure) -> {
                if (failure != null) {
                  refused.compareAndSet(null, failure);
                }
              });
    } catch (InterruptException e) {
      throw e;
    } catch (KafkaException e) {
      throw refusal(streamId, e);
    }
  }

  private void throwIfRefused(String streamId, AtomicReference<@Nullable Exception> refused)
      throws IOException {
    Exception failure = refused.get();
    if (failure != null) {
      throw refusal(streamId, failure);
    }
  }

  private IOException refusal(String streamId, Exception failure) {
    return new IOException(
        "the broker did not take a frame of stream %s on topic %s (%s); is the topic there, with max.message.bytes of %d, and may this client write?"
            .formatted(streamId, topic, failure.getMessage(), WireFormat.MAX_RECORD_BYTES),
        failure);
  }

  /** Waits for what was sent. */
  @Override
  public void close() {
    producer.close();
  }
}

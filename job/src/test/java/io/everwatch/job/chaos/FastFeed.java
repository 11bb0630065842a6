// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.chaos;

import io.everwatch.schemas.ReceivedText;
import io.everwatch.schemas.WireFormat;
import io.everwatch.schemas.avro.TextEvent;
import io.everwatch.schemas.avro.TextKind;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/**
 * Publishes the frames of cameras as fast as the job answers them: no stream is further ahead of
 * its text than a window. Also checks the answers: every chunk once, in order, without gap or
 * error. One thread.
 */
final class FastFeed implements AutoCloseable {
  private static final class Stream {
    final LoopCamera camera;
    final int partition;
    long answered;

    Stream(LoopCamera camera, int partition) {
      this.camera = camera;
      this.partition = partition;
    }

    /** Whether all that was sent is answered: it has its hours before the others have theirs. */
    boolean waits() {
      return answered == camera.seconds();
    }
  }

  private final KafkaProducer<byte[], byte[]> producer;
  private final String topic;
  private final int windowSeconds;
  private final Map<String, Stream> streams = new LinkedHashMap<>();
  private long comments;
  private long silences;

  FastFeed(
      Map<String, Object> client,
      String topic,
      int partitions,
      int windowSeconds,
      List<LoopCamera> cameras) {
    this.topic = topic;
    this.windowSeconds = windowSeconds;
    Map<String, Object> properties = new LinkedHashMap<>(client);
    properties.put("max.request.size", WireFormat.MAX_RECORD_BYTES);
    properties.put("linger.ms", 2);
    producer =
        new KafkaProducer<>(properties, new ByteArraySerializer(), new ByteArraySerializer());
    for (LoopCamera camera : cameras) {
      streams.put(camera.streamId, new Stream(camera, streams.size() % partitions));
    }
  }

  /** Sends what the window allows; false when it allows nothing. */
  boolean send(long untilSeconds) {
    boolean sent = false;
    for (Stream stream : streams.values()) {
      // One frame beyond the last whole chunk closes it only with the next; the end closes it too.
      while (stream.camera.seconds() - stream.answered < windowSeconds
          && stream.camera.seconds() < untilSeconds) {
        for (int i = 0; i < SceneLoop.FPS; i++) {
          send(stream, stream.camera.next());
        }
        sent = true;
      }
    }
    return sent;
  }

  /** Ends every stream. */
  void end() {
    streams.values().forEach(stream -> send(stream, stream.camera.end()));
    producer.flush();
  }

  private void send(Stream stream, byte[] record) {
    var unused = // of a broker that refuses, the answers stay away, and the run says so
        producer.send(
            new ProducerRecord<>(
                topic,
                stream.partition,
                stream.camera.streamId.getBytes(StandardCharsets.UTF_8),
                record));
  }

  /**
   * Takes an answer.
   *
   * @throws IllegalStateException when it is not the next chunk's, or no answer at all
   */
  void answered(ReceivedText text) {
    TextEvent event = text.event();
    Stream stream = streams.get(event.getStreamId());
    if (stream == null
        || event.getKind() == TextKind.ENDED
        || (event.getKind() == TextKind.STALE && stream.waits())) {
      return;
    }
    if (event.getChunk() != stream.answered || text.changed()) {
      throw new IllegalStateException(
          "expected chunk %d of stream %s, once; got %s%s"
              .formatted(
                  stream.answered, event.getStreamId(), event, text.changed() ? ", changed" : ""));
    }
    switch (event.getKind()) {
      case COMMENT -> comments++;
      case SILENCE -> silences++;
      default -> throw new IllegalStateException("expected words or silence; got " + event);
    }
    stream.answered++;
  }

  /** Chunks answered, of all streams. */
  long chunks() {
    return comments + silences;
  }

  /** Of them, with words. */
  long comments() {
    return comments;
  }

  /** Seconds of video that every stream has had answered. */
  long seconds() {
    return streams.values().stream().mapToLong(stream -> stream.answered).min().orElse(0);
  }

  /** Streams in the order of their cameras. */
  List<String> streamIds() {
    return new ArrayList<>(streams.keySet());
  }

  @Override
  public void close() {
    producer.close();
  }
}

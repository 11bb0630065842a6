// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.wall;

import io.everwatch.schemas.WireFormat;
import io.everwatch.schemas.WireFormatException;
import io.everwatch.schemas.avro.FrameEvent;
import io.everwatch.schemas.avro.SourceRange;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.consumer.CloseOptions;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetOutOfRangeException;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/**
 * Reads frames again from their topic, by the offsets that a text event names. Few consumers, made
 * when first needed; an answer within seconds or none. Thread-safe.
 */
final class FrameArchive implements AutoCloseable {
  private static final int CONSUMERS = 2;
  private static final Duration LIMIT = Duration.ofSeconds(3);
  private static final Duration POLL = Duration.ofMillis(300);

  /** Records of other streams lie between; beyond that the nearest of those looked at is taken. */
  private static final int RECORDS = 4_000;

  private final Map<String, Object> client;
  private final Semaphore free = new Semaphore(CONSUMERS);
  private final Deque<KafkaConsumer<byte[], byte[]>> idle = new ArrayDeque<>();
  private final ByteCache<Wall.Place, List<Frame>> cache;
  private boolean closed;

  /**
   * Connects when it is first asked.
   *
   * @param client properties of Kafka's consumers, {@code bootstrap.servers} among them
   * @param bytes of pictures to keep
   */
  FrameArchive(Map<String, Object> client, long bytes) {
    this.client = new HashMap<>(TopicTail.properties(client));
    this.client.put("auto.offset.reset", "none");
    this.client.put("max.partition.fetch.bytes", 4 << 20);
    this.client.put("fetch.max.bytes", 8 << 20);
    this.client.put("default.api.timeout.ms", (int) LIMIT.toMillis());
    this.client.put("request.timeout.ms", (int) LIMIT.toMillis());
    cache =
        new ByteCache<>(
            bytes, frames -> 256 + frames.stream().mapToLong(one -> one.bytes().length).sum());
  }

  /** The archive has no time for more at once. */
  static final class BusyException extends Exception {
    private static final long serialVersionUID = 1;
  }

  /**
   * The stream's newest frame at or before a time, else the first of those named.
   *
   * @param place without its time a key of the cache
   * @return empty when the topic keeps none of them any more
   * @throws BusyException when all consumers are at work for too long
   * @throws KafkaException when the broker does not answer
   */
  Optional<Frame> find(Wall.Place place) throws BusyException, InterruptedException {
    Wall.Place key = new Wall.Place(place.stream(), place.sources(), 0);
    Optional<List<Frame>> kept = cache.get(key);
    List<Frame> frames;
    if (kept.isPresent()) {
      frames = kept.get();
    } else {
      frames = read(place);
      cache.put(key, frames);
    }
    Frame best = null;
    for (Frame frame : frames) {
      if (best == null || frame.captureMicros() <= place.captureMicros()) {
        best = frame;
      }
    }
    return Optional.ofNullable(best);
  }

  private List<Frame> read(Wall.Place place) throws BusyException, InterruptedException {
    if (!free.tryAcquire(LIMIT.toMillis(), TimeUnit.MILLISECONDS)) {
      throw new BusyException();
    }
    try {
      KafkaConsumer<byte[], byte[]> consumer = take();
      boolean well = false;
      try {
        List<Frame> frames = new ArrayList<>();
        for (SourceRange source : place.sources()) {
          read(consumer, source, place.stream(), frames);
        }
        well = true;
        return frames;
      } finally {
        giveBack(consumer, well);
      }
    } finally {
      free.release();
    }
  }

  private static void read(
      KafkaConsumer<byte[], byte[]> consumer,
      SourceRange source,
      String stream,
      List<Frame> frames) {
    TopicPartition partition = new TopicPartition(source.getTopic(), source.getPartition());
    consumer.assign(List.of(partition));
    consumer.seek(partition, source.getFirstOffset());
    long last = Math.min(source.getLastOffset(), source.getFirstOffset() + RECORDS);
    long end = System.nanoTime() + LIMIT.toNanos();
    try {
      while (System.nanoTime() - end < 0) {
        for (ConsumerRecord<byte[], byte[]> record : consumer.poll(POLL)) {
          if (record.offset() > last) {
            return;
          }
          frame(record, stream).ifPresent(frames::add);
          if (record.offset() == last) {
            return;
          }
        }
      }
    } catch (OffsetOutOfRangeException e) {
      return; // retention took them: then there is none, or fewer
    }
    throw new TimeoutException(
        "records %d to %d of %s did not come within %d s"
            .formatted(source.getFirstOffset(), last, partition, LIMIT.toSeconds()));
  }

  private static Optional<Frame> frame(ConsumerRecord<byte[], byte[]> record, String stream) {
    if (record.value() == null) {
      return Optional.empty();
    }
    try {
      FrameEvent event = WireFormat.decodeFrame(record.value());
      return event.getStreamId().equals(stream) && !event.getEndOfStream()
          ? Optional.of(Wall.frame(event, Wall.bytes(event), record.timestamp()))
          : Optional.empty();
    } catch (WireFormatException e) {
      return Optional.empty(); // the dead letters say why
    }
  }

  private KafkaConsumer<byte[], byte[]> take() {
    synchronized (idle) {
      if (closed) {
        throw new KafkaException("the archive is closed");
      }
      KafkaConsumer<byte[], byte[]> kept = idle.poll();
      if (kept != null) {
        return kept;
      }
    }
    return new KafkaConsumer<>(client, new ByteArrayDeserializer(), new ByteArrayDeserializer());
  }

  private void giveBack(KafkaConsumer<byte[], byte[]> consumer, boolean well) {
    synchronized (idle) {
      if (well && !closed) {
        consumer.unsubscribe();
        idle.add(consumer);
        return;
      }
    }
    consumer.close(CloseOptions.timeout(Duration.ZERO));
  }

  @Override
  public void close() {
    synchronized (idle) {
      closed = true;
      idle.forEach(consumer -> consumer.close(CloseOptions.timeout(Duration.ZERO)));
      idle.clear();
    }
  }
}

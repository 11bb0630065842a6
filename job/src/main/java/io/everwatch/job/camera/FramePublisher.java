// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.camera;

import io.everwatch.operators.model.EncodedFrame;
import io.everwatch.schemas.avro.FrameEvent;
import java.io.IOException;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.kafka.common.errors.InterruptException;
import org.jspecify.annotations.Nullable;

/**
 * Plays frame sources onto the frames topic, one thread per stream, and waits for the broker where
 * it is slow: nothing is dropped.
 */
public final class FramePublisher implements AutoCloseable {
  private final FrameTopic topic;

  /**
   * Connects when the first stream is published.
   *
   * @param client properties of a Kafka client, {@code bootstrap.servers} among them
   */
  public FramePublisher(Map<String, Object> client, String topic) {
    this(new FrameTopic(client, topic, 1));
  }

  /** Takes the topic over: closes it when this is closed. */
  FramePublisher(FrameTopic topic) {
    this.topic = topic;
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
        send(FrameTopic.frameEvent(streamId, frames, lastMicros, picture), refused);
        frames++;
        bytes += picture.bytes().length;
      }
      send(FrameTopic.endEvent(streamId, frames, lastMicros), refused);
      topic.flush();
    } catch (InterruptException e) {
      Thread.interrupted(); // Kafka sets it again besides throwing
      InterruptedException interrupted = new InterruptedException("stream " + streamId);
      interrupted.initCause(e);
      throw interrupted;
    }
    throwIfRefused(streamId, refused);
    return new Published(frames, bytes);
  }

  private void send(FrameEvent event, AtomicReference<@Nullable Exception> refused)
      throws IOException {
    throwIfRefused(event.getStreamId(), refused);
    topic.send(
        event,
        failure -> {
          if (failure != null) {
            refused.compareAndSet(null, failure);
          }
        });
  }

  private void throwIfRefused(String streamId, AtomicReference<@Nullable Exception> refused)
      throws IOException {
    Exception failure = refused.get();
    if (failure != null) {
      throw topic.refusal(streamId, failure);
    }
  }

  /** Waits for what was sent. */
  @Override
  public void close() {
    topic.close();
  }
}

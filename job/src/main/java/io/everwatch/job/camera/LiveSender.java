// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.camera;

import io.everwatch.job.camera.FrameQueue.Stamped;
import io.everwatch.operators.model.EncodedFrame;
import java.io.IOException;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.common.errors.InterruptException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Hands one live camera's frames to the broker, in a thread of its own: the camera is read on
 * whatever the broker does. Few frames are under way at a time; of those that wait behind them the
 * oldest is dropped when there are too many, counted, and missing in the sequence.
 */
final class LiveSender {
  private static final Logger LOG = LoggerFactory.getLogger(LiveSender.class);
  private static final long TELL_NANOS = TimeUnit.MINUTES.toNanos(1);

  /** Enough for 30 frames a second to a broker a quarter of a second away. */
  static final int UNDER_WAY = 8;

  private final String stream;
  private final FrameTopic topic;
  private final CameraMeter meter;
  private final FrameQueue queue;
  private final Semaphore room = new Semaphore(UNDER_WAY);
  private final Thread thread;
  private long sequence;
  private long lastMicros;
  private long toldNanos;
  private long toldDropped;

  LiveSender(String stream, FrameTopic topic, CameraMeter meter, int queueFrames) {
    this.stream = stream;
    this.topic = topic;
    this.meter = meter;
    this.queue = new FrameQueue(queueFrames);
    this.toldNanos = System.nanoTime() - TELL_NANOS;
    this.thread = new Thread(this::sendAll, "send-" + stream);
    thread.setDaemon(true);
    thread.start();
  }

  /** Takes a frame; never waits. By the camera's thread alone. */
  void offer(long captureMicros, EncodedFrame picture) {
    lastMicros = captureMicros;
    if (queue.add(new Stamped(sequence++, captureMicros, picture)) > 0) {
      dropped("the broker is slower than the camera");
    }
  }

  private synchronized void dropped(String why) {
    meter.framesDropped(1);
    long now = System.nanoTime();
    if (now - toldNanos >= TELL_NANOS) {
      LOG.warn(
          "stream {}: {} frames dropped since this was last said: {}",
          stream,
          meter.dropped() - toldDropped,
          why);
      toldNanos = now;
      toldDropped = meter.dropped();
    }
  }

  private void sendAll() {
    try {
      for (Optional<Stamped> next = queue.take(); next.isPresent(); next = queue.take()) {
        room.acquire();
        send(next.get());
      }
    } catch (InterruptedException | InterruptException | IllegalStateException e) {
      // Nobody waits for the rest any longer; the last is what a closed producer says.
    }
  }

  private void send(Stamped frame) {
    int bytes = frame.picture().bytes().length;
    try {
      topic.send(
          FrameTopic.frameEvent(stream, frame.sequence(), frame.captureMicros(), frame.picture()),
          failure -> {
            room.release();
            answered(bytes, failure);
          });
    } catch (IOException e) {
      room.release();
      dropped(String.valueOf(e.getMessage()));
    }
  }

  private void answered(int bytes, @Nullable Exception failure) {
    if (failure == null) {
      meter.frameSent(bytes);
    } else {
      dropped(String.valueOf(topic.refusal(stream, failure).getMessage()));
    }
  }

  /** Leaves what waits. */
  void abandon() {
    queue.close();
    thread.interrupt();
  }

  /**
   * Sends what waits and the end of the stream; after the camera's thread has ended.
   *
   * @return whether the broker has all of it; a stream that had no frame gets no end
   */
  boolean end(Duration limit) throws InterruptedException {
    long deadline = System.nanoTime() + limit.toNanos();
    queue.close();
    thread.join(Math.max(1, limit.toMillis()));
    if (thread.isAlive()) {
      thread.interrupt();
      return false;
    }
    if (sequence == 0) {
      return true;
    }
    try {
      if (!room.tryAcquire(deadline - System.nanoTime(), TimeUnit.NANOSECONDS)) {
        return false;
      }
      boolean[] refused = new boolean[1];
      topic.send(
          FrameTopic.endEvent(stream, sequence, lastMicros),
          failure -> {
            refused[0] = failure != null;
            room.release();
          });
      return room.tryAcquire(UNDER_WAY, deadline - System.nanoTime(), TimeUnit.NANOSECONDS)
          && !refused[0];
    } catch (IOException e) {
      LOG.warn("stream {}: its end was not sent: {}", stream, e.getMessage());
      return false;
    }
  }
}

// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.demo;

import io.everwatch.job.camera.FramePublisher;
import io.everwatch.job.camera.Pace;
import io.everwatch.job.camera.RoadSceneSource;
import io.everwatch.job.scene.RoadScene;
import io.everwatch.job.scene.VehicleKind;
import java.io.IOException;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.common.KafkaException;

/** Live road cameras that publish to a broker, a thread each, until closed. */
final class RoadCameras implements AutoCloseable {
  private static final long SECOND_MICROS = 1_000_000;
  private static final long JOIN_MILLIS = 5_000;

  /** What all of them are told to count, since all share the job's instruction. */
  static final VehicleKind COUNTED = VehicleKind.CAR;

  private final FramePublisher publisher;
  private final List<Thread> threads = new ArrayList<>();
  private final CompletableFuture<Void> failed = new CompletableFuture<>();

  /** Begins to publish; streams are called {@code camera-1}, {@code camera-2} … */
  static RoadCameras start(Map<String, Object> client, String topic, int count, long seed) {
    RoadCameras cameras = new RoadCameras(new FramePublisher(client, topic));
    long now = Pace.micros(Clock.systemUTC());
    for (int i = 0; i < count; i++) {
      // Cameras know nothing of each other: their seconds begin at different times.
      cameras.add("camera-" + (i + 1), seed + i, now + i * SECOND_MICROS / count);
    }
    return cameras;
  }

  private RoadCameras(FramePublisher publisher) {
    this.publisher = publisher;
  }

  /** Completes exceptionally when a camera fails. */
  CompletableFuture<Void> failed() {
    return failed;
  }

  private void add(String streamId, long seed, long startMicros) {
    RoadScene road = new RoadScene(seed, RoadScene.DEFAULT_DENSITY, Optional.of(COUNTED));
    Thread thread = new Thread(() -> publish(streamId, road, startMicros), streamId);
    thread.setDaemon(true);
    threads.add(thread);
    thread.start();
  }

  private void publish(String streamId, RoadScene road, long startMicros) {
    try (RoadSceneSource source = new RoadSceneSource(road)) {
      publisher.publish(streamId, source, startMicros, Pace.realtime());
    } catch (InterruptedException e) {
      // Closed: the end of this thread.
    } catch (IOException | KafkaException e) {
      failed.completeExceptionally(e);
    }
  }

  @Override
  public void close() {
    threads.forEach(Thread::interrupt);
    try {
      for (Thread thread : threads) {
        thread.join(JOIN_MILLIS);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } finally {
      publisher.close();
    }
  }
}

// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.wall.browser;

import io.everwatch.job.camera.FramePublisher;
import io.everwatch.job.camera.Pace;
import io.everwatch.job.camera.RoadSceneSource;
import io.everwatch.job.scene.RoadScene;
import java.io.IOException;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import org.apache.kafka.common.KafkaException;

/** Synthetic roads as cameras {@code camera-1}, {@code camera-2} … that film now, until closed. */
final class LiveCameras implements AutoCloseable {
  private static final long SEED = 11;

  private final FramePublisher publisher;
  private final List<Thread> threads = new ArrayList<>();
  private final List<Exception> failures = new CopyOnWriteArrayList<>();

  static LiveCameras start(Map<String, Object> client, int count) {
    LiveCameras cameras = new LiveCameras(new FramePublisher(client, "frames"));
    for (int i = 0; i < count; i++) {
      cameras.add("camera-" + (i + 1), SEED + i);
    }
    return cameras;
  }

  private LiveCameras(FramePublisher publisher) {
    this.publisher = publisher;
  }

  private void add(String stream, long seed) {
    Thread thread = new Thread(() -> publish(stream, seed), stream);
    threads.add(thread);
    thread.start();
  }

  private void publish(String stream, long seed) {
    try (RoadSceneSource source = new RoadSceneSource(RoadScene.ofSeed(seed))) {
      publisher.publish(stream, source, Pace.micros(Clock.systemUTC()), Pace.realtime());
    } catch (InterruptedException closed) {
      Thread.currentThread().interrupt();
    } catch (IOException | KafkaException e) {
      failures.add(e);
    }
  }

  List<Exception> failures() {
    return failures;
  }

  @Override
  public void close() throws InterruptedException {
    threads.forEach(Thread::interrupt);
    for (Thread thread : threads) {
      thread.join();
    }
    publisher.close();
  }
}

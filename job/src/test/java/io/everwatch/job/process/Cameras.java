// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.process;

import io.everwatch.job.camera.CameraFrame;
import io.everwatch.job.camera.FramePublisher;
import io.everwatch.job.camera.FrameSource;
import io.everwatch.job.camera.Pace;
import io.everwatch.job.camera.RoadSceneSource;
import io.everwatch.job.scene.RoadScene;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;

/**
 * Synthetic roads as live cameras {@code road-0}, {@code road-1} …: two frames a second each, until
 * they are told to end. A stream's pictures and capture times are the same in every run; only how
 * long it goes on is not.
 */
public final class Cameras implements AutoCloseable {
  /** 2026-01-01T00:00:00Z. */
  private static final long START_MICROS = 1_767_225_600_000_000L;

  private final FramePublisher publisher;
  private final ExecutorService threads;
  private final List<Future<FramePublisher.Published>> streams = new ArrayList<>();
  private volatile boolean ending;

  /**
   * Begins to publish.
   *
   * @param client properties of a Kafka client
   * @param seed of the first road; the next ones follow
   * @param speed times real time
   */
  public Cameras(Map<String, Object> client, String topic, int count, long seed, double speed) {
    publisher = new FramePublisher(client, topic);
    threads = Executors.newFixedThreadPool(count);
    long begin = System.nanoTime();
    Pace pace =
        captureMicros -> {
          long due = (long) ((captureMicros - START_MICROS) / speed);
          long since = TimeUnit.NANOSECONDS.toMicros(System.nanoTime() - begin);
          TimeUnit.MICROSECONDS.sleep(due - since);
        };
    for (int i = 0; i < count; i++) {
      String stream = "road-" + i;
      RoadScene scene = RoadScene.ofSeed(seed + i);
      streams.add(
          threads.submit(
              () -> {
                try (FrameSource road = new Ending(new RoadSceneSource(scene))) {
                  return publisher.publish(stream, road, START_MICROS, pace);
                }
              }));
    }
  }

  /**
   * Ends all streams and returns when the broker has their last records.
   *
   * @return frames published, of all streams
   */
  public long end() throws Exception {
    ending = true;
    long frames = 0;
    for (Future<FramePublisher.Published> stream : streams) {
      frames += stream.get().frames();
    }
    return frames;
  }

  @Override
  public void close() {
    threads.shutdownNow();
    publisher.close();
  }

  /** A source that ends when its cameras are told to. */
  private final class Ending implements FrameSource {
    private final FrameSource source;

    Ending(FrameSource source) {
      this.source = source;
    }

    @Override
    public Optional<CameraFrame> next() throws IOException {
      return ending ? Optional.empty() : source.next();
    }

    @Override
    public void close() throws IOException {
      source.close();
    }
  }
}

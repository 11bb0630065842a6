// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.wall;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A wall that reads: model, readers, and the feed that tells the pages what changed. */
public final class LiveWall implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(LiveWall.class);
  private static final long TELL_MILLIS = 250;
  private static final long JOB_MILLIS = 2_000;
  private static final long BREATHE_MILLIS = 15_000;

  private final WallOptions options;
  private final Wall wall;
  private final LiveFeed feed;
  private final Optional<WallReaders> readers;
  private final Optional<FlinkWatch> flink;
  private final ScheduledExecutorService clock =
      Executors.newSingleThreadScheduledExecutor(
          task -> {
            Thread thread = new Thread(task, "wall-clock");
            thread.setDaemon(true);
            return thread;
          });

  /** Begins to read. */
  public static LiveWall start(WallOptions options) {
    Wall wall = new Wall(options.limits(), System::currentTimeMillis);
    return new LiveWall(options, wall, Optional.of(new WallReaders(options, wall)));
  }

  /** A wall that is told by the caller and reads nothing. */
  static LiveWall of(WallOptions options, Wall wall) {
    return new LiveWall(options, wall, Optional.empty());
  }

  private LiveWall(WallOptions options, Wall wall, Optional<WallReaders> readers) {
    this.options = options;
    this.wall = wall;
    this.readers = readers;
    flink = options.flink().map(FlinkWatch::new);
    feed = new LiveFeed(options.maxClients());
    every(TELL_MILLIS, this::tell);
    every(JOB_MILLIS, () -> feed.publish(job()));
    every(BREATHE_MILLIS, feed::breathe);
  }

  private void every(long millis, Runnable work) {
    ScheduledFuture<?> unused =
        clock.scheduleAtFixedRate(
            () -> {
              try {
                work.run();
              } catch (RuntimeException e) { // the next time may be better; an executor would stop
                LOG.warn("the wall could not tell its pages", e);
              }
            },
            millis,
            millis,
            TimeUnit.MILLISECONDS);
  }

  public WallOptions options() {
    return options;
  }

  public Wall wall() {
    return wall;
  }

  public LiveFeed feed() {
    return feed;
  }

  /** Tells the pages what changed; also right before a page joins, so that it misses nothing. */
  private synchronized void tell() {
    Changes changes = wall.takeChanges();
    if (changes.afresh()) {
      feed.beginAgain(this::everything);
      return;
    }
    if (changes.none()) {
      return;
    }
    if (!changes.streams().isEmpty() || !changes.gone().isEmpty()) {
      feed.publish(
          new LiveFeed.Named(
              "streams", WallJson.streams(false, changes.streams(), changes.gone())));
    }
    if (!changes.texts().isEmpty()) {
      feed.publish(new LiveFeed.Named("texts", WallJson.texts(changes.texts()).toString()));
    }
    if (!changes.committed().isEmpty()) {
      feed.publish(new LiveFeed.Named("committed", WallJson.committed(changes.committed())));
    }
  }

  /**
   * Adds a page.
   *
   * @return false: there are too many
   */
  public synchronized boolean join(LiveFeed.Listener page, Optional<String> lastEventId) {
    tell();
    return feed.join(page, lastEventId, this::everything);
  }

  private List<LiveFeed.Named> everything() {
    List<LiveFeed.Named> all = new ArrayList<>();
    all.add(new LiveFeed.Named("hello", hello()));
    all.add(new LiveFeed.Named("streams", WallJson.streams(true, wall.streams(), List.of())));
    all.add(job());
    return all;
  }

  private String hello() {
    return WallJson.NODES
        .objectNode()
        .put("instance", feed.instance())
        .put("version", options.version())
        .put("serverMillis", wall.nowMillis())
        .toString();
  }

  private LiveFeed.Named job() {
    return new LiveFeed.Named("job", jobJson());
  }

  String jobJson() {
    return JobJson.of(
            wall,
            readers.map(WallReaders::status).orElse(Map.of()),
            flink.map(FlinkWatch::answer),
            feed.listeners())
        .toString();
  }

  @Override
  public void close() {
    clock.shutdownNow();
    flink.ifPresent(FlinkWatch::close);
    readers.ifPresent(WallReaders::close);
  }
}

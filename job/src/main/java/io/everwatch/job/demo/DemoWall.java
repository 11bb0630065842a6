// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.demo;

import io.everwatch.job.broker.TopicNames;
import io.everwatch.job.wall.LiveWall;
import io.everwatch.job.wall.WallLimits;
import io.everwatch.job.wall.WallOptions;
import io.everwatch.job.wall.http.WallSecurity;
import io.everwatch.job.wall.http.WallServer;
import java.io.IOException;
import java.net.BindException;
import java.net.InetSocketAddress;
import java.net.URI;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The demo's wall, started on a thread of its own: text comes no later because of it, and a demo
 * without its wall is still one.
 */
final class DemoWall implements AutoCloseable {
  private static final Duration HISTORY = Duration.ofHours(6);
  private static final int CLIENTS = 100;
  private static final long JOIN_MILLIS = 10_000;

  private final Thread thread;
  private @Nullable WallServer server;
  private boolean closed;

  private DemoWall(Runnable start) {
    thread = new Thread(start, "demo-wall");
    thread.setDaemon(true);
  }

  static DemoWall start(DemoOptions options, String brokers, URI flink, DemoOutput output) {
    WallOptions wall =
        new WallOptions(
            brokers,
            Map.of(),
            TopicNames.defaults(),
            WallLimits.of(HISTORY, Runtime.getRuntime().maxMemory()),
            /* frames= */ true,
            Optional.of(flink),
            /* demo= */ true,
            CLIENTS,
            options.version());
    DemoWall[] own = new DemoWall[1];
    own[0] =
        new DemoWall(
            () -> {
              try {
                own[0].began(serve(wall, options.wallPort().orElseThrow()), output);
              } catch (IOException | RuntimeException e) {
                output.progress("wall: not served: " + e.getMessage());
              }
            });
    if (options.wallPort().isPresent()) {
      own[0].thread.start();
    }
    return own[0];
  }

  private static WallServer serve(WallOptions options, int port) throws IOException {
    LiveWall wall = LiveWall.start(options);
    try {
      return serve(wall, port);
    } catch (BindException taken) {
      return serve(wall, 0);
    }
  }

  private static WallServer serve(LiveWall wall, int port) throws IOException {
    return WallServer.start(
        wall, new InetSocketAddress("localhost", port), WallSecurity.local(), Optional.empty());
  }

  private void began(WallServer started, DemoOutput output) {
    synchronized (this) {
      if (!closed) {
        server = started;
        output.wall(started.address());
        return;
      }
    }
    started.close();
  }

  @Override
  public void close() {
    WallServer running;
    synchronized (this) {
      closed = true;
      running = server;
    }
    if (running != null) {
      running.close();
      return;
    }
    try {
      thread.join(JOIN_MILLIS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}

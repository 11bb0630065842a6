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

  private final WallOptions options;
  private final Optional<Integer> port;
  private final DemoOutput output;
  private final Thread thread = new Thread(this::serve, "demo-wall");
  private @Nullable LiveWall wall;
  private @Nullable WallServer server;
  private boolean closed;

  private DemoWall(WallOptions options, Optional<Integer> port, DemoOutput output) {
    this.options = options;
    this.port = port;
    this.output = output;
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
    DemoWall own = new DemoWall(wall, options.wallPort(), output);
    if (options.wallPort().isPresent()) {
      own.thread.start();
    }
    return own;
  }

  private void serve() {
    LiveWall started = LiveWall.start(options);
    try {
      began(started, serve(started));
    } catch (IOException | RuntimeException e) {
      started.close();
      output.progress("wall: not served: " + e.getMessage());
    }
  }

  private WallServer serve(LiveWall started) throws IOException {
    try {
      return serve(started, port.orElseThrow());
    } catch (BindException taken) {
      return serve(started, 0);
    }
  }

  private static WallServer serve(LiveWall wall, int port) throws IOException {
    return WallServer.start(
        wall, new InetSocketAddress("localhost", port), WallSecurity.local(), Optional.empty());
  }

  private void began(LiveWall read, WallServer served) {
    synchronized (this) {
      if (!closed) {
        wall = read;
        server = served;
        output.wall(served.address());
        return;
      }
    }
    served.close();
    read.close();
  }

  @Override
  public void close() {
    synchronized (this) {
      closed = true;
    }
    try {
      thread.join(JOIN_MILLIS); // it closes what it is just starting
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    if (server != null) {
      server.close();
    }
    if (wall != null) {
      wall.close();
    }
  }
}

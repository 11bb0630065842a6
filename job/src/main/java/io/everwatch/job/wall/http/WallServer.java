// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.wall.http;

import io.everwatch.job.wall.LiveWall;
import io.everwatch.job.wall.WallApi;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.http.HttpStatus;
import org.eclipse.jetty.http.UriCompliance;
import org.eclipse.jetty.server.ConnectionFactory;
import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.HttpConfiguration;
import org.eclipse.jetty.server.HttpConnectionFactory;
import org.eclipse.jetty.server.NetworkConnectionLimit;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.server.SecureRequestCustomizer;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.eclipse.jetty.server.SslConnectionFactory;
import org.eclipse.jetty.server.handler.SizeLimitHandler;
import org.eclipse.jetty.server.handler.gzip.GzipHandler;
import org.eclipse.jetty.util.Callback;
import org.eclipse.jetty.util.thread.QueuedThreadPool;
import org.eclipse.jetty.util.thread.ScheduledExecutorScheduler;

/** Serves a wall over HTTP. */
public final class WallServer implements AutoCloseable {
  private static final int THREADS = 24;
  private static final int HEADER_BYTES = 8 << 10;
  private static final int BODY_BYTES = 4 << 10;
  private static final int CONNECTIONS_PER_PAGE = 6; // what browsers open to one host
  private static final int MORE_CONNECTIONS = 200;
  private static final Duration IDLE = Duration.ofSeconds(30);
  private static final long WATCH_SECONDS = 5;

  private final WallApi api;
  private final LiveHandler live;
  private final Server server;
  private final URI address;

  /**
   * Starts to serve a wall, which stays its owner's to close, afterwards.
   *
   * @param listen where; port 0 = any that is free
   * @param clips folder of recorded videos
   * @throws IOException when the port is taken, or the clips cannot be read
   * @throws WallException when certificate or key cannot be used
   */
  public static WallServer start(
      LiveWall wall, InetSocketAddress listen, WallSecurity security, Optional<Path> clips)
      throws IOException {
    return new WallServer(wall, listen, security, clips);
  }

  private WallServer(
      LiveWall wall, InetSocketAddress listen, WallSecurity security, Optional<Path> clips)
      throws IOException {
    api = new WallApi(wall);
    live = new LiveHandler(wall);
    QueuedThreadPool threads = new QueuedThreadPool(THREADS);
    threads.setName("wall-http");
    threads.setDaemon(true);
    server = new Server(threads, new ScheduledExecutorScheduler("wall-http-timer", true), null);
    ConnectionWatch watch =
        new ConnectionWatch(handlers(clips, security, listen.getHostString()), System::nanoTime);
    server.setHandler(watch);
    server.setErrorHandler(WallServer::error);
    ServerConnector connector = connector(security, listen);
    connector.addBean(watch, false);
    server.addConnector(connector);
    server.addBean(
        new NetworkConnectionLimit(
            MORE_CONNECTIONS + CONNECTIONS_PER_PAGE * wall.options().maxClients(), server));
    try {
      server.start();
    } catch (Exception e) {
      close();
      if (e instanceof IOException failure) {
        throw failure;
      }
      throw new WallException("the wall cannot be served: " + e.getMessage(), e);
    }
    watchEvery(watch);
    String host = listen.getHostString().contains(":") ? "[%s]" : "%s";
    address =
        URI.create(
            "%s://%s:%d/"
                .formatted(
                    security.tls() ? "https" : "http",
                    host.formatted(listen.getHostString()),
                    connector.getLocalPort()));
  }

  private Handler handlers(Optional<Path> clips, WallSecurity security, String bound)
      throws IOException {
    ClipsHandler recorded = new ClipsHandler(clips);
    Handler.Sequence asked =
        new Handler.Sequence(new ApiHandler(api, live, recorded), recorded, new PageHandler());
    GzipHandler gzip = new GzipHandler(asked);
    // Text alone: pictures are small already, and events must not wait in a compressor.
    gzip.setIncludedMimeTypes(
        "text/html",
        "text/css",
        "text/javascript",
        "text/vtt",
        "application/json",
        "image/svg+xml");
    gzip.setMinGzipSize(1024);
    SizeLimitHandler bounded = new SizeLimitHandler(BODY_BYTES, -1);
    bounded.setHandler(new GateHandler(security, bound, gzip));
    return bounded;
  }

  private ServerConnector connector(WallSecurity security, InetSocketAddress listen)
      throws IOException {
    HttpConfiguration http = new HttpConfiguration();
    http.setSendServerVersion(false);
    http.setSendDateHeader(true);
    http.setRequestHeaderSize(HEADER_BYTES);
    http.setIdleTimeout(IDLE.toMillis());
    // A stream's name may have a slash in it; nobody maps paths to files but after decoding.
    http.setUriCompliance(
        UriCompliance.DEFAULT.with(
            "wall",
            UriCompliance.Violation.AMBIGUOUS_PATH_SEPARATOR,
            UriCompliance.Violation.AMBIGUOUS_PATH_ENCODING));
    ConnectionFactory plain = new HttpConnectionFactory(http);
    ConnectionFactory[] factories = {plain};
    if (security.certificate().isPresent() && security.key().isPresent()) {
      http.addCustomizer(new SecureRequestCustomizer(false));
      factories =
          new ConnectionFactory[] {
            new SslConnectionFactory(
                Tls.of(security.certificate().get(), security.key().get()), plain.getProtocol()),
            plain
          };
    }
    ServerConnector connector = new ServerConnector(server, 1, 2, factories);
    connector.setHost(listen.getHostString());
    connector.setPort(listen.getPort());
    connector.setIdleTimeout(IDLE.toMillis());
    connector.setAcceptQueueSize(256);
    return connector;
  }

  private void watchEvery(ConnectionWatch watch) {
    server
        .getScheduler()
        .schedule(
            () -> {
              watch.closeIdle();
              if (server.isRunning()) {
                watchEvery(watch);
              }
            },
            WATCH_SECONDS,
            TimeUnit.SECONDS);
  }

  /** What Jetty itself refuses, in the form of all other answers. */
  private static boolean error(Request request, Response response, Callback callback) {
    int status = response.getStatus();
    String what =
        status == HttpStatus.NOT_FOUND_404
            ? "there is no such page"
            : HttpStatus.getMessage(status).toLowerCase(Locale.ROOT);
    Answers.protect(response.getHeaders());
    if (status >= 400 && status != HttpStatus.NOT_FOUND_404) {
      response.getHeaders().put(HttpHeader.CONNECTION, "close");
    }
    Answers.error(
        request, response, callback, status, what, "docs/wall.md lists what can be asked");
    return true;
  }

  /** Where it is, such as {@code http://localhost:8780/}. */
  public URI address() {
    return address;
  }

  @Override
  public void close() {
    try {
      live.endAll();
      server.stop();
    } catch (Exception e) {
      throw new IllegalStateException("the wall's server did not stop", e);
    } finally {
      api.close();
    }
  }
}

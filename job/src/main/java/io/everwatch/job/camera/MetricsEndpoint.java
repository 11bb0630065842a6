// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.camera;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.function.Supplier;

/** {@code http://localhost:PORT/metrics} for Prometheus; reachable from this machine alone. */
public final class MetricsEndpoint implements AutoCloseable {
  private static final int BACKLOG = 8;

  private final HttpServer server;

  /**
   * Begins to answer.
   *
   * @param port 0 = any free one
   * @throws IOException when the port is taken
   */
  public MetricsEndpoint(int port, Supplier<String> text) throws IOException {
    InetSocketAddress here = new InetSocketAddress(InetAddress.getLoopbackAddress(), port);
    try {
      server = HttpServer.create(here, BACKLOG);
    } catch (IOException e) {
      throw new IOException(
          "port %d for metrics cannot be had (%s); expected a free one; take another, or 0 for any"
              .formatted(port, e.getMessage()),
          e);
    }
    server.createContext("/metrics", exchange -> answer(exchange, text.get()));
    server.start();
  }

  private static void answer(HttpExchange exchange, String text) throws IOException {
    try (exchange) {
      byte[] body = text.getBytes(StandardCharsets.UTF_8);
      exchange.getResponseHeaders().set("Content-Type", "text/plain; version=0.0.4; charset=utf-8");
      exchange.sendResponseHeaders(200, body.length);
      exchange.getResponseBody().write(body);
    }
  }

  public int port() {
    return server.getAddress().getPort();
  }

  @Override
  public void close() {
    server.stop(0);
  }
}

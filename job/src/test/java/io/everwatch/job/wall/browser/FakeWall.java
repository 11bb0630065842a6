// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.wall.browser;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * A wall without Kafka and model: the page's own files, the API over simulated streams, and the
 * headers of the real one, the content security policy above all. What it tells is a function of
 * the number of streams and of the time since its start, so that tests of looks are quick and
 * repeatable.
 */
final class FakeWall implements AutoCloseable {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String PAGE = "/io/everwatch/job/wall/page/";
  private static final Set<String> PAGES = Set.of("", "streams", "job", "clips", "help");
  private static final Map<String, String> TYPES =
      Map.of(
          "html", "text/html; charset=utf-8",
          "js", "text/javascript; charset=utf-8",
          "css", "text/css; charset=utf-8",
          "svg", "image/svg+xml");
  private static final String POLICY =
      "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:;"
          + " media-src 'self'; connect-src 'self'; manifest-src 'self'; frame-ancestors 'none';"
          + " base-uri 'none'; form-action 'self'";

  /** How many requests came for each kind of address. */
  final Map<String, AtomicInteger> requests = new ConcurrentHashMap<>();

  /** Asked before everything below /api; an answer is sent in its place. */
  volatile Function<URI, @Nullable Answer> refusal = uri -> null;

  private final HttpServer server;
  private final ExecutorService threads = Executors.newCachedThreadPool();
  private final FakeApi api;

  /** A body with its type and status. */
  record Answer(int status, String type, byte[] body) {
    static Answer json(int status, JsonNode json) {
      return new Answer(
          status, "application/json", json.toString().getBytes(StandardCharsets.UTF_8));
    }

    static Answer error(int status, String error, String hint) {
      return json(status, JSON.createObjectNode().put("error", error).put("hint", hint));
    }
  }

  /**
   * @param port 0: a free one
   * @param troubled whether things befall the streams
   */
  static FakeWall start(int port, int streams, boolean troubled) throws IOException {
    return new FakeWall(port, new FakeApi(streams, troubled));
  }

  private FakeWall(int port, FakeApi api) throws IOException {
    this.api = api;
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 64);
    server.setExecutor(threads);
    server.createContext("/", this::answer);
    server.start();
  }

  String address() {
    return "http://localhost:" + server.getAddress().getPort();
  }

  int port() {
    return server.getAddress().getPort();
  }

  /** Whether the wall's readers reach their broker. */
  void broker(boolean there) {
    api.broker = there;
  }

  /** Lets so much time pass at once. */
  void skip(Duration time) {
    api.skip(time);
  }

  int requests(String kind) {
    return requests.getOrDefault(kind, new AtomicInteger()).get();
  }

  private void answer(HttpExchange exchange) throws IOException {
    URI uri = exchange.getRequestURI();
    String path = uri.getPath();
    String first = path.substring(1).split("/", 2)[0];
    Map<String, String> headers =
        Map.of(
            "Content-Security-Policy", POLICY,
            "X-Content-Type-Options", "nosniff",
            "Referrer-Policy", "no-referrer",
            "Cross-Origin-Opener-Policy", "same-origin",
            "Cross-Origin-Resource-Policy", "same-origin");
    headers.forEach(exchange.getResponseHeaders()::set);
    try (exchange) {
      if (first.equals("api")) {
        Answer refused = refusal.apply(uri);
        if (refused != null) {
          send(exchange, refused);
        } else if (path.equals("/api/live")) {
          count("live");
          api.live(exchange);
        } else {
          count(kind(path));
          send(exchange, api.answer(uri));
        }
      } else if (first.equals("assets")) {
        send(exchange, file(path.substring(1)));
      } else if (first.equals("clips") && path.contains(".") && !path.startsWith("/clips/view/")) {
        send(exchange, api.clip(path));
      } else if (PAGES.contains(first)) {
        send(exchange, file("index.html"));
      } else {
        send(exchange, Answer.error(404, "no such address", ""));
      }
    }
  }

  private static String kind(String path) {
    return path.contains("/frame") ? "frames" : path.substring(path.lastIndexOf('/') + 1);
  }

  private void count(String kind) {
    requests.computeIfAbsent(kind, key -> new AtomicInteger()).incrementAndGet();
  }

  private static Answer file(String name) throws IOException {
    try (InputStream in = FakeWall.class.getResourceAsStream(PAGE + name)) {
      if (in == null) {
        return Answer.error(404, "no file " + name, "");
      }
      String ending = name.substring(name.lastIndexOf('.') + 1).toLowerCase(Locale.ROOT);
      return new Answer(200, TYPES.getOrDefault(ending, "text/plain"), in.readAllBytes());
    }
  }

  private static void send(HttpExchange exchange, Answer answer) throws IOException {
    exchange.getResponseHeaders().set("Content-Type", answer.type());
    exchange.sendResponseHeaders(
        answer.status(), answer.body().length == 0 ? -1 : answer.body().length);
    exchange.getResponseBody().write(answer.body());
  }

  /** Drops all connections, as a server does that is killed. */
  @Override
  public void close() {
    server.stop(0);
    threads.shutdownNow();
  }
}

// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.wall;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.everwatch.job.wall.http.WallSecurity;
import io.everwatch.job.wall.http.WallServer;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;

/** A wall that is told by a test, served on a free port. */
final class Served implements AutoCloseable {
  static final Duration LIMIT = Duration.ofSeconds(20);

  final Told told;
  final WallServer server;
  private final LiveWall live;
  private final HttpClient client = HttpClient.newBuilder().connectTimeout(LIMIT).build();

  Served(int maxClients, WallSecurity security, Optional<Path> clips) throws IOException {
    told = new Told(Told.LIMITS);
    told.wall.loaded();
    live = LiveWall.of(Told.options(Told.LIMITS, maxClients), told.wall);
    server = WallServer.start(live, new InetSocketAddress("localhost", 0), security, clips);
  }

  static Served open() throws IOException {
    return new Served(10, WallSecurity.local(), Optional.empty());
  }

  LiveFeed feed() {
    return live.feed();
  }

  HttpResponse<byte[]> get(String path, String... headers) throws Exception {
    return send(request(path, headers).build());
  }

  HttpRequest.Builder request(String path, String... headers) {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(URI.create(server.address() + path.substring(1))).timeout(LIMIT);
    return headers.length == 0 ? request : request.headers(headers);
  }

  HttpResponse<byte[]> send(HttpRequest request) throws Exception {
    return client.send(request, BodyHandlers.ofByteArray());
  }

  JsonNode json(String path) throws Exception {
    return new JsonMapper().readTree(get(path).body());
  }

  /** Sends bytes as they are and returns all that comes until the server closes. */
  String raw(String request) throws IOException {
    try (Socket socket = socket()) {
      socket.getOutputStream().write(request.getBytes(StandardCharsets.ISO_8859_1));
      return new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    }
  }

  Socket socket() throws IOException {
    Socket socket = new Socket("localhost", server.address().getPort());
    socket.setSoTimeout((int) LIMIT.toMillis());
    return socket;
  }

  /** Reads until that has come. */
  static String readUntil(InputStream in, String wanted) throws IOException {
    StringBuilder got = new StringBuilder();
    byte[] buffer = new byte[8192];
    while (got.indexOf(wanted) < 0) {
      int read = in.read(buffer);
      if (read < 0) {
        throw new AssertionError("the server closed before '" + wanted + "' came, after: " + got);
      }
      got.append(new String(buffer, 0, read, StandardCharsets.UTF_8));
    }
    return got.toString();
  }

  @Override
  public void close() {
    server.close();
    live.close();
  }
}

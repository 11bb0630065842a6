// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.wall.browser;

import static org.junit.jupiter.api.Assumptions.abort;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.File;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.WebSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BiConsumer;
import java.util.stream.Stream;

/**
 * A headless Chromium of this machine, spoken to over its DevTools protocol (JSON over a WebSocket,
 * which the JDK has): neither a driver nor a download is needed.
 */
final class Chromium implements AutoCloseable {
  private static final Duration LIMIT = Duration.ofSeconds(60);
  private static final ObjectMapper JSON = new ObjectMapper();

  private final Process process;
  private final Path profile;
  private final WebSocket socket;
  private final AtomicInteger ids = new AtomicInteger();
  private final Map<Integer, CompletableFuture<JsonNode>> answers = new ConcurrentHashMap<>();
  private final Map<String, BiConsumer<String, JsonNode>> sessions = new ConcurrentHashMap<>();

  /** Starts it; without one on this machine the test is skipped, or fails when it must not be. */
  static Chromium start() throws Exception {
    Optional<String> command = command();
    if (command.isEmpty()) {
      String message = "no chromium on this machine: apt-get install chromium";
      if (Boolean.getBoolean("everwatch.requireBrowser")) {
        throw new AssertionError(message);
      }
      abort(message);
    }
    return new Chromium(command.orElseThrow());
  }

  private static Optional<String> command() {
    String path = System.getenv().getOrDefault("PATH", "");
    return Stream.of("chromium", "chromium-browser", "google-chrome")
        .flatMap(name -> Stream.of(path.split(File.pathSeparator)).map(dir -> Path.of(dir, name)))
        .filter(Files::isExecutable)
        .map(Path::toString)
        .findFirst();
  }

  private Chromium(String command) throws Exception {
    profile = Files.createTempDirectory("chromium");
    ProcessBuilder builder =
        new ProcessBuilder(
            command,
            "--headless=new",
            "--no-sandbox", // the build may run as root, which has none
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-default-apps",
            "--disable-extensions",
            "--disable-sync",
            "--no-first-run",
            "--mute-audio",
            "--hide-scrollbars",
            "--lang=en-GB",
            "--remote-debugging-port=0",
            "--user-data-dir=" + profile,
            "about:blank");
    builder.environment().put("TZ", "UTC");
    builder.environment().put("TMPDIR", profile.toString()); // what it leaves goes with the profile
    builder.redirectErrorStream(true).redirectOutput(profile.resolve("log").toFile());
    process = builder.start();
    try {
      socket =
          HttpClient.newHttpClient()
              .newWebSocketBuilder()
              .buildAsync(endpoint(), new Listener())
              .get(LIMIT.toSeconds(), TimeUnit.SECONDS);
    } catch (Exception e) {
      stop();
      throw e;
    }
  }

  /** It writes its port and path into a file of its profile once it listens. */
  private URI endpoint() throws Exception {
    Path file = profile.resolve("DevToolsActivePort");
    long end = System.nanoTime() + LIMIT.toNanos();
    while (System.nanoTime() - end < 0 && process.isAlive()) {
      List<String> lines = Files.exists(file) ? Files.readAllLines(file) : List.of();
      if (lines.size() == 2) {
        return URI.create("ws://localhost:" + lines.get(0) + lines.get(1));
      }
      process.waitFor(50, TimeUnit.MILLISECONDS);
    }
    throw new IOException(
        "chromium did not begin to listen within %s; it said: %s"
            .formatted(LIMIT, Files.readString(profile.resolve("log"))));
  }

  /** A tab of the given size in CSS pixels, still blank. */
  Tab open(int width, int height) throws Exception {
    ObjectNode at = JSON.createObjectNode().put("url", "about:blank").put("newWindow", true);
    String target = send("", "Target.createTarget", at).path("targetId").asText();
    ObjectNode attach = JSON.createObjectNode().put("targetId", target).put("flatten", true);
    String session = send("", "Target.attachToTarget", attach).path("sessionId").asText();
    return new Tab(this, target, session, width, height);
  }

  void listen(String session, BiConsumer<String, JsonNode> listener) {
    sessions.put(session, listener);
  }

  /** One command; its result. */
  JsonNode send(String session, String method, ObjectNode parameters) throws Exception {
    int id = ids.incrementAndGet();
    ObjectNode message = JSON.createObjectNode().put("id", id).put("method", method);
    message.set("params", parameters);
    if (!session.isEmpty()) {
      message.put("sessionId", session);
    }
    CompletableFuture<JsonNode> answer = new CompletableFuture<>();
    answers.put(id, answer);
    synchronized (this) {
      socket.sendText(message.toString(), true).get(LIMIT.toSeconds(), TimeUnit.SECONDS);
    }
    try {
      return answer.get(LIMIT.toSeconds(), TimeUnit.SECONDS);
    } catch (TimeoutException e) {
      throw new AssertionError("chromium did not answer " + method + " within " + LIMIT, e);
    } catch (ExecutionException e) {
      throw new AssertionError("chromium refused " + method + " " + parameters, e.getCause());
    }
  }

  private void received(JsonNode message) {
    if (message.has("id")) {
      CompletableFuture<JsonNode> answer = answers.remove(message.path("id").asInt());
      if (answer != null && message.has("error")) {
        answer.completeExceptionally(new IOException(message.path("error").toString()));
      } else if (answer != null) {
        answer.complete(message.path("result"));
      }
    } else {
      BiConsumer<String, JsonNode> listener = sessions.get(message.path("sessionId").asText());
      if (listener != null) {
        listener.accept(message.path("method").asText(), message.path("params"));
      }
    }
  }

  private final class Listener implements WebSocket.Listener {
    private final StringBuilder parts = new StringBuilder();

    @Override
    public CompletionStage<?> onText(WebSocket from, CharSequence data, boolean last) {
      parts.append(data);
      if (last) {
        try {
          received(JSON.readTree(parts.toString()));
        } catch (IOException e) {
          throw new IllegalStateException("chromium sent what is no JSON: " + parts, e);
        } finally {
          parts.setLength(0);
        }
      }
      from.request(1);
      return CompletableFuture.completedStage(null);
    }
  }

  @Override
  public void close() throws Exception {
    socket.abort();
    stop();
  }

  private void stop() throws Exception {
    List<ProcessHandle> all =
        Stream.concat(process.descendants(), Stream.of(process.toHandle())).toList();
    all.forEach(ProcessHandle::destroyForcibly);
    for (ProcessHandle each : all) {
      each.onExit().get(LIMIT.toSeconds(), TimeUnit.SECONDS);
    }
    try (Stream<Path> files = Files.walk(profile)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.deleteIfExists(file);
      }
    }
  }
}

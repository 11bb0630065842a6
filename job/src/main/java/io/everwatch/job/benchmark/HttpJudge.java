// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.benchmark;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Optional;

/**
 * A language model behind an OpenAI-compatible endpoint, {@code POST URL/chat/completions}. What a
 * network does is borne: a time limit, retries of what may be better later (no connection, 408,
 * 409, 429, 5xx) with growing pauses or as long as the server says, requests spread over the
 * minute, replies of bounded size, no redirects, which would carry the key elsewhere. The key
 * stands in no message. Thread-safe.
 */
final class HttpJudge implements Judge {
  private static final int MOST_BYTES = 1 << 20;
  private static final int SHOWN = 200;
  private static final Duration LONGEST_PAUSE = Duration.ofMinutes(5);

  /** Lets time pass. */
  interface Pauses {
    /** Now, in nanoseconds of a clock that never jumps. */
    long nanoTime();

    void pause(Duration length) throws InterruptedException;

    /** Of the machine. */
    Pauses REAL =
        new Pauses() {
          @Override
          public long nanoTime() {
            return System.nanoTime();
          }

          @Override
          public void pause(Duration length) throws InterruptedException {
            Thread.sleep(length.toMillis());
          }
        };
  }

  private final Endpoint endpoint;
  private final Pauses pauses;
  private final HttpClient client;
  private final long nanosBetween;
  private long nextAt; // guarded by this

  HttpJudge(Endpoint endpoint, Pauses pauses) {
    this.endpoint = endpoint;
    this.pauses = pauses;
    nanosBetween = (long) (Duration.ofMinutes(1).toNanos() / endpoint.perMinute());
    nextAt = pauses.nanoTime();
    client =
        HttpClient.newBuilder()
            .connectTimeout(endpoint.timeout())
            .followRedirects(HttpClient.Redirect.NEVER)
            .build();
  }

  @Override
  public String reply(String prompt) throws IOException, InterruptedException {
    HttpRequest request = request(prompt);
    Duration pause = Duration.ofSeconds(1);
    for (int attempt = 1; ; attempt++) {
      waitForTurn();
      Attempt result = attempt(request);
      if (result.reply.isPresent()) {
        return result.reply.get();
      }
      if (!result.mayWorkLater || attempt == endpoint.attempts()) {
        throw new IOException(
            "%s: %s after %d attempts; expected a chat completion; check endpoint, model and key, then go on with the same command"
                .formatted(endpoint, withoutKey(result.problem), attempt));
      }
      pauses.pause(result.pause.orElse(pause));
      pause = shorter(pause.multipliedBy(2), LONGEST_PAUSE);
    }
  }

  private record Attempt(
      Optional<String> reply, String problem, boolean mayWorkLater, Optional<Duration> pause) {
    static Attempt failed(String problem, boolean mayWorkLater) {
      return new Attempt(Optional.empty(), problem, mayWorkLater, Optional.empty());
    }
  }

  private Attempt attempt(HttpRequest request) throws InterruptedException {
    try {
      HttpResponse<InputStream> response =
          client.send(request, HttpResponse.BodyHandlers.ofInputStream());
      byte[] body;
      try (InputStream in = response.body()) {
        body = in.readNBytes(MOST_BYTES + 1);
      }
      if (body.length > MOST_BYTES) {
        return Attempt.failed("a reply of more than %d bytes".formatted(MOST_BYTES), false);
      }
      return read(response, new String(body, StandardCharsets.UTF_8));
    } catch (IOException e) { // no connection, or it broke, or the time was over
      return Attempt.failed(e.toString(), true);
    }
  }

  private static Attempt read(HttpResponse<?> response, String body) {
    int status = response.statusCode();
    if (status != 200) {
      boolean mayWorkLater = status == 408 || status == 409 || status == 429 || status >= 500;
      Optional<Duration> pause =
          response
              .headers()
              .firstValue("Retry-After")
              .filter(value -> value.matches("\\d{1,5}"))
              .map(seconds -> shorter(Duration.ofSeconds(Long.parseLong(seconds)), LONGEST_PAUSE));
      return new Attempt(
          Optional.empty(), "HTTP %d: %s".formatted(status, shown(body)), mayWorkLater, pause);
    }
    try {
      JsonNode content =
          JsonLines.parse(body).path("choices").path(0).path("message").path("content");
      return content.isTextual()
          ? new Attempt(Optional.of(content.asText()), "", false, Optional.empty())
          : Attempt.failed("no choices[0].message.content in " + shown(body), true);
    } catch (IllegalArgumentException e) {
      return Attempt.failed("no JSON: " + shown(body), true);
    }
  }

  private HttpRequest request(String prompt) {
    ObjectNode body = JsonLines.object();
    body.put("model", endpoint.model());
    body.putArray("messages").addObject().put("role", "user").put("content", prompt);
    endpoint.seed().ifPresent(seed -> body.put("seed", seed));
    endpoint.temperature().ifPresent(temperature -> body.put("temperature", temperature));
    String base = endpoint.url().toString().replaceAll("/+$", "");
    HttpRequest.Builder request =
        HttpRequest.newBuilder(URI.create(base + "/chat/completions"))
            .timeout(endpoint.timeout())
            .header("Content-Type", "application/json")
            .POST(HttpRequest.BodyPublishers.ofString(body.toString()));
    endpoint.key().ifPresent(key -> request.header("Authorization", "Bearer " + key));
    return request.build();
  }

  private void waitForTurn() throws InterruptedException {
    long wait;
    synchronized (this) {
      long now = pauses.nanoTime();
      wait = Math.max(0, nextAt - now);
      nextAt = Math.max(now, nextAt) + nanosBetween;
    }
    if (wait > 0) {
      pauses.pause(Duration.ofNanos(wait));
    }
  }

  private String withoutKey(String text) {
    return endpoint.key().map(key -> text.replace(key, "(key)")).orElse(text);
  }

  private static String shown(String body) {
    String line = body.replaceAll("\\s+", " ").strip();
    return line.length() <= SHOWN ? line : line.substring(0, SHOWN) + "…";
  }

  private static Duration shorter(Duration a, Duration b) {
    return a.compareTo(b) <= 0 ? a : b;
  }
}

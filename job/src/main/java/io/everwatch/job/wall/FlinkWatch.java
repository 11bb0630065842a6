// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.wall;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpClient.Redirect;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;

/**
 * Asks Flink's REST interface every few seconds how the job is; only GET, no redirect, answers of
 * bounded size and time.
 */
final class FlinkWatch implements AutoCloseable {
  private static final Duration LIMIT = Duration.ofSeconds(3);
  private static final int MAX_BYTES = 4 << 20;
  private static final int RECENT = 10;
  private static final JsonMapper JSON = new JsonMapper();

  private final URI address;
  private final HttpClient client =
      HttpClient.newBuilder().connectTimeout(LIMIT).followRedirects(Redirect.NEVER).build();
  private final ScheduledExecutorService clock =
      Executors.newSingleThreadScheduledExecutor(
          task -> {
            Thread thread = new Thread(task, "wall-flink");
            thread.setDaemon(true);
            return thread;
          });
  private volatile Answer answer = new Answer(Optional.empty(), Optional.empty());

  /**
   * What was learned last.
   *
   * @param job as in docs/wall.md
   * @param problem why there is no job to show
   */
  record Answer(Optional<ObjectNode> job, Optional<String> problem) {}

  /**
   * Begins to ask.
   *
   * @param address such as {@code http://jobmanager:8081}
   */
  FlinkWatch(URI address) {
    this.address = address;
    ScheduledFuture<?> unused = clock.scheduleWithFixedDelay(this::ask, 0, 3, TimeUnit.SECONDS);
  }

  Answer answer() {
    return answer;
  }

  private void ask() {
    try {
      Optional<JsonNode> job = newest(get("/jobs/overview").path("jobs"));
      answer =
          job.isEmpty()
              ? problem("Flink at %s has no job; submit it".formatted(address))
              : new Answer(Optional.of(describe(job.get())), Optional.empty());
    } catch (IOException | RuntimeException e) {
      answer =
          problem(
              "Flink's REST interface at %s gave no answer (%s); is the JobManager running, and is this its address?"
                  .formatted(
                      address,
                      e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage()));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static Answer problem(String text) {
    return new Answer(Optional.empty(), Optional.of(text));
  }

  /** That which began last, running ones first. */
  private static Optional<JsonNode> newest(JsonNode jobs) {
    JsonNode best = null;
    for (JsonNode job : jobs) {
      if (best == null || rank(job) > rank(best)) {
        best = job;
      }
    }
    return Optional.ofNullable(best);
  }

  private static double rank(JsonNode job) {
    boolean over = job.path("end-time").asLong(-1) > 0;
    return job.path("start-time").asLong() + (over ? 0 : 1e15);
  }

  private ObjectNode describe(JsonNode job) throws IOException, InterruptedException {
    String id = job.path("jid").asText();
    if (!id.matches("[0-9a-f]{32}")) {
      throw new IOException(
          "it names its job '" + id.substring(0, Math.min(40, id.length())) + "'");
    }
    ObjectNode node = WallJson.NODES.objectNode();
    node.put("state", job.path("state").asText());
    node.put("jobId", id);
    node.put("name", job.path("name").asText());
    node.put("sinceMillis", job.path("start-time").asLong());
    JsonNode restarts = get("/jobs/" + id + "/metrics?get=numRestarts");
    node.put("restarts", restarts.path(0).path("value").asLong(0));
    node.set("checkpoints", checkpoints(get("/jobs/" + id + "/checkpoints")));
    return node;
  }

  private static ObjectNode checkpoints(JsonNode all) {
    ObjectNode node = WallJson.NODES.objectNode();
    node.put("completed", all.path("counts").path("completed").asLong());
    node.put("failed", all.path("counts").path("failed").asLong());
    JsonNode last = all.path("latest").path("completed");
    if (last.isObject()) {
      node.put("lastMillis", last.path("trigger_timestamp").asLong());
      node.put("lastDurationMillis", last.path("end_to_end_duration").asLong());
      node.put("lastBytes", last.path("state_size").asLong());
    }
    ArrayNode recent = node.putArray("recent");
    for (JsonNode one : all.path("history")) {
      if (recent.size() == RECENT) {
        break;
      }
      recent
          .addObject()
          .put("id", one.path("id").asLong())
          .put("atMillis", one.path("trigger_timestamp").asLong())
          .put("durationMillis", one.path("end_to_end_duration").asLong())
          .put("bytes", one.path("state_size").asLong())
          .put("status", one.path("status").asText());
    }
    return node;
  }

  private JsonNode get(String path) throws IOException, InterruptedException {
    HttpRequest request =
        HttpRequest.newBuilder(URI.create(address.toString().replaceAll("/+$", "") + path))
            .timeout(LIMIT)
            .build();
    HttpResponse<InputStream> response = client.send(request, BodyHandlers.ofInputStream());
    try (InputStream body = response.body()) {
      if (response.statusCode() != 200) {
        throw new IOException("status %d of %s".formatted(response.statusCode(), path));
      }
      byte[] bytes = body.readNBytes(MAX_BYTES + 1);
      if (bytes.length > MAX_BYTES) {
        throw new IOException("more than %d bytes from %s".formatted(MAX_BYTES, path));
      }
      return JSON.readTree(bytes);
    }
  }

  @Override
  public void close() {
    clock.shutdownNow();
  }
}

// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.process;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublisher;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * The JobManager's REST interface as a user has it. A job is named by its ID in hex. Every answer
 * but 2xx is an {@link IOException} with what the JobManager said.
 */
public final class FlinkRest {
  private static final Duration LIMIT = Duration.ofSeconds(60);
  private static final JsonMapper JSON = new JsonMapper();

  /** Vertices that stay at one subtask whatever the job's parallelism; see EverwatchTopology. */
  private static final Set<String> SINGLE = Set.of("commands", "dead-letters");

  private final URI address;
  private final HttpClient client = HttpClient.newBuilder().connectTimeout(LIMIT).build();

  FlinkRest(int port) {
    address = URI.create("http://localhost:" + port);
  }

  /**
   * GET.
   *
   * @param path with its leading slash
   */
  public JsonNode get(String path) throws IOException, InterruptedException {
    return send("GET", path, BodyPublishers.noBody(), "application/json");
  }

  private JsonNode send(String method, String path, JsonNode body)
      throws IOException, InterruptedException {
    return send(method, path, BodyPublishers.ofString(body.toString()), "application/json");
  }

  private JsonNode send(String method, String path, BodyPublisher body, String type)
      throws IOException, InterruptedException {
    HttpResponse<String> answer =
        client.send(
            HttpRequest.newBuilder(address.resolve(path))
                .timeout(LIMIT)
                .header("Content-Type", type)
                .method(method, body)
                .build(),
            BodyHandlers.ofString());
    if (answer.statusCode() / 100 != 2) {
      throw new IOException(
          "%s %s: status %d, %s".formatted(method, path, answer.statusCode(), answer.body()));
    }
    return JSON.readTree(answer.body());
  }

  /** TaskManagers that are registered now; a dead one counts until its heartbeats are missed. */
  public int taskManagers() throws IOException, InterruptedException {
    return get("/overview").path("taskmanagers").asInt();
  }

  /** State by job. */
  public Map<String, String> jobs() throws IOException, InterruptedException {
    Map<String, String> states = new HashMap<>();
    get("/jobs").path("jobs").forEach(job -> states.put(text(job, "id"), text(job, "status")));
    return states;
  }

  /** The job as {@code GET /jobs/:id} shows it. */
  public JsonNode job(String job) throws IOException, InterruptedException {
    return get("/jobs/" + job);
  }

  public String state(String job) throws IOException, InterruptedException {
    return text(job(job), "state");
  }

  /** Whether the job runs with all its subtasks. */
  public boolean runs(String job) throws IOException, InterruptedException {
    JsonNode all = job(job);
    for (JsonNode vertex : all.path("vertices")) {
      if (vertex.path("tasks").path("RUNNING").asInt() != vertex.path("parallelism").asInt()) {
        return false;
      }
    }
    return text(all, "state").equals("RUNNING");
  }

  /** Subtasks that understand now. */
  public int parallelism(String job) throws IOException, InterruptedException {
    for (JsonNode vertex : job(job).path("vertices")) {
      if (text(vertex, "name").contains("understand")) {
        return vertex.path("parallelism").asInt();
      }
    }
    throw new IOException("job " + job + " has no vertex that understands");
  }

  /** Uploads a jar; the answer names it for {@link #submit}. */
  public String upload(Path jar) throws IOException, InterruptedException {
    String boundary = "everwatch-jar";
    ByteArrayOutputStream body = new ByteArrayOutputStream();
    String head =
        String.join(
            "\r\n",
            "--" + boundary,
            "Content-Disposition: form-data; name=\"jarfile\"; filename=\"%s\""
                .formatted(jar.getFileName()),
            "Content-Type: application/x-java-archive",
            "",
            "");
    body.write(head.getBytes(StandardCharsets.UTF_8));
    body.write(Files.readAllBytes(jar));
    body.write("\r\n--%s--\r\n".formatted(boundary).getBytes(StandardCharsets.UTF_8));
    String stored =
        text(
            send(
                "POST",
                "/jars/upload",
                BodyPublishers.ofByteArray(body.toByteArray()),
                "multipart/form-data; boundary=" + boundary),
            "filename");
    return stored.substring(stored.lastIndexOf('/') + 1);
  }

  /**
   * Runs the main method of an uploaded jar on the JobManager.
   *
   * @param from savepoint or checkpoint to begin with
   * @return the job
   */
  public String submit(String jar, Optional<String> from, List<String> arguments)
      throws IOException, InterruptedException {
    ObjectNode request = JSON.createObjectNode();
    request.put("entryClass", FlinkHome.MAIN);
    request.set("programArgsList", JSON.valueToTree(arguments));
    from.ifPresent(path -> request.put("savepointPath", path));
    return text(send("POST", "/jars/" + jar + "/run", request), "jobid");
  }

  /** Asks for the end; {@link #state} becomes CANCELED. */
  public void cancel(String job) throws IOException, InterruptedException {
    send("PATCH", "/jobs/" + job + "?mode=cancel", JSON.createObjectNode());
  }

  /**
   * Asks for so many subtasks of each operator (adaptive scheduler); the job goes there when slots
   * and the next checkpoint allow.
   */
  public void rescale(String job, int parallelism) throws IOException, InterruptedException {
    ObjectNode wanted = JSON.createObjectNode();
    for (JsonNode vertex : job(job).path("vertices")) {
      String name = text(vertex, "name");
      int upper = SINGLE.stream().anyMatch(name::contains) ? 1 : parallelism;
      wanted
          .putObject(text(vertex, "id"))
          .putObject("parallelism")
          .put("lowerBound", 1)
          .put("upperBound", upper);
    }
    send("PUT", "/jobs/" + job + "/resource-requirements", wanted);
  }

  /** Begins a native savepoint after which the job ends; ask {@link #savepoint} for its outcome. */
  String stopWithSavepoint(String job, Path directory) throws IOException, InterruptedException {
    ObjectNode request = JSON.createObjectNode();
    request.put("targetDirectory", directory.toUri().toString());
    request.put("formatType", "NATIVE");
    return text(send("POST", "/jobs/" + job + "/stop", request), "request-id");
  }

  /**
   * Where a savepoint lies, once it is complete.
   *
   * @throws AssertionError when it failed
   */
  Optional<String> savepoint(String job, String request) throws IOException, InterruptedException {
    JsonNode answer = get("/jobs/" + job + "/savepoints/" + request);
    JsonNode operation = answer.path("operation");
    if (operation.has("failure-cause")) {
      throw new AssertionError("the savepoint failed: " + operation.path("failure-cause"));
    }
    return operation.has("location") ? Optional.of(text(operation, "location")) : Optional.empty();
  }

  /** Begins a checkpoint now; returns when the JobManager has heard of it. */
  public void triggerCheckpoint(String job) throws IOException, InterruptedException {
    ObjectNode wanted = JSON.createObjectNode();
    wanted.put("checkpointType", "CONFIGURED");
    send("POST", "/jobs/" + job + "/checkpoints", wanted);
  }

  /**
   * Counts, sizes and durations of checkpoints, as {@code GET /jobs/:id/checkpoints} shows them.
   */
  public JsonNode checkpoints(String job) throws IOException, InterruptedException {
    return get("/jobs/" + job + "/checkpoints");
  }

  /** Checkpoints that were completed since the job's start, restores included. */
  public int completedCheckpoints(String job) throws IOException, InterruptedException {
    return checkpoints(job).path("counts").path("completed").asInt();
  }

  /**
   * The sum of a metric over the subtasks of the vertex that understands.
   *
   * @param metric as the interface lists it, e.g. {@code understand.frames_received}
   * @return empty when nobody has it (yet)
   */
  public Optional<Double> sum(String job, String metric) throws IOException, InterruptedException {
    for (JsonNode vertex : job(job).path("vertices")) {
      if (text(vertex, "name").contains("understand")) {
        JsonNode found =
            get(
                "/jobs/%s/vertices/%s/subtasks/metrics?get=%s&agg=sum"
                    .formatted(job, text(vertex, "id"), metric));
        return found.isEmpty()
            ? Optional.empty()
            : Optional.of(found.get(0).path("sum").asDouble());
      }
    }
    return Optional.empty();
  }

  private static String text(JsonNode node, String field) {
    return node.path(field).asText();
  }
}

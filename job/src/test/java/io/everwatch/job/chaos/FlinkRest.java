// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.chaos;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/** What a JobManager tells of its job. */
final class FlinkRest {
  private static final Duration TIMEOUT = Duration.ofSeconds(10);
  private static final String OPERATOR = "understand.everwatch.";

  private final HttpClient http = HttpClient.newBuilder().connectTimeout(TIMEOUT).build();
  private final JsonMapper mapper = new JsonMapper();
  private final String address;

  FlinkRest(int port) {
    address = "http://localhost:" + port;
  }

  JsonNode get(String path) throws IOException {
    HttpRequest request =
        HttpRequest.newBuilder(URI.create(address + path)).timeout(TIMEOUT).build();
    try {
      HttpResponse<String> response = http.send(request, BodyHandlers.ofString());
      if (response.statusCode() != 200) {
        throw new IOException(path + ": " + response.statusCode() + " " + response.body());
      }
      return mapper.readTree(response.body());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException(path, e);
    }
  }

  /** The job that runs with all its tasks; empty while there is none, or nobody answers. */
  Optional<String> runningJob() {
    try {
      for (JsonNode job : get("/jobs/overview").get("jobs")) {
        JsonNode tasks = job.get("tasks");
        if (job.get("state").asText().equals("RUNNING")
            && tasks.get("running").asInt() == tasks.get("total").asInt()) {
          return Optional.of(job.get("jid").asText());
        }
      }
    } catch (IOException e) {
      return Optional.empty(); // not up yet
    }
    return Optional.empty();
  }

  /** The operator's own metrics, summed over its subtasks, by their names below the operator's. */
  Map<String, Double> operatorSums(String job, List<String> names) throws IOException {
    return operator(job, names, "sum");
  }

  /** The same, the largest of all subtasks. */
  Map<String, Double> operatorMaxima(String job, List<String> names) throws IOException {
    return operator(job, names, "max");
  }

  private Map<String, Double> operator(String job, List<String> names, String aggregate)
      throws IOException {
    String path =
        "/jobs/%s/vertices/%s/subtasks/metrics?agg=%s&get=%s%s"
            .formatted(
                job,
                vertex(job, "understand"),
                aggregate,
                OPERATOR,
                String.join("," + OPERATOR, names));
    Map<String, Double> values = new TreeMap<>();
    for (JsonNode metric : get(path)) {
      values.put(
          metric.get("id").asText().substring(OPERATOR.length()), metric.get(aggregate).asDouble());
    }
    return values;
  }

  private String vertex(String job, String name) throws IOException {
    for (JsonNode vertex : get("/jobs/" + job).get("vertices")) {
      if (vertex.get("name").asText().startsWith(name)) {
        return vertex.get("id").asText();
      }
    }
    throw new IOException("job " + job + " has no vertex " + name);
  }

  /** Flink's own account of its checkpoints. */
  JsonNode checkpoints(String job) throws IOException {
    return get("/jobs/" + job + "/checkpoints");
  }
}

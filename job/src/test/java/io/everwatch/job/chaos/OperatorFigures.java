// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.chaos;

import com.fasterxml.jackson.databind.JsonNode;
import io.everwatch.job.process.FlinkRest;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** The metrics of docs/metrics.md as the JobManager has them of a running job. */
final class OperatorFigures {
  private static final String PREFIX = "understand.everwatch.";

  /** Twice the cluster's metrics.fetcher.update-interval. */
  private static final long FETCH_MILLIS = 1_000;

  private final FlinkRest rest;
  private final String job;

  OperatorFigures(FlinkRest rest, String job) {
    this.rest = rest;
    this.job = job;
  }

  /** Sums over the subtasks, by name; what is not there (yet) is missing. */
  Map<String, Double> sums(String... names) throws IOException, InterruptedException {
    return aggregate("sum", List.of(names));
  }

  /** The largest of all subtasks, by name. */
  Map<String, Double> maxima(String... names) throws IOException, InterruptedException {
    return aggregate("max", List.of(names));
  }

  private Map<String, Double> aggregate(String how, List<String> names)
      throws IOException, InterruptedException {
    Map<String, Double> values = new TreeMap<>();
    String path =
        "/jobs/%s/vertices/%s/subtasks/metrics?agg=%s&get=%s%s"
            .formatted(job, vertex(), how, PREFIX, String.join("," + PREFIX, names));
    // The JobManager answers with what it had fetched for the question before, and fetches again.
    rest.get(path);
    Thread.sleep(FETCH_MILLIS);
    for (JsonNode metric : rest.get(path)) {
      values.put(
          metric.path("id").asText().substring(PREFIX.length()), metric.path(how).asDouble());
    }
    return values;
  }

  /** Of the last complete checkpoint, all of its state. */
  double stateBytes() throws IOException, InterruptedException {
    JsonNode completed = rest.checkpoints(job).path("latest").path("completed");
    return completed.path("state_size").asDouble(Double.NaN);
  }

  /** The TaskManager of each subtask that understands. */
  List<String> taskManagers() throws IOException, InterruptedException {
    return rest.get("/jobs/" + job + "/vertices/" + vertex())
        .path("subtasks")
        .findValuesAsText("taskmanager-id");
  }

  private String vertex() throws IOException, InterruptedException {
    for (JsonNode vertex : rest.job(job).path("vertices")) {
      if (vertex.path("name").asText().contains("understand")) {
        return vertex.path("id").asText();
      }
    }
    throw new IOException("job " + job + " has no vertex that understands");
  }
}

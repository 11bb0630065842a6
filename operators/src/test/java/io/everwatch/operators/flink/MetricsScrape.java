// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.flink;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.apache.flink.api.common.JobID;
import org.apache.flink.metrics.Metric;
import org.apache.flink.metrics.MetricConfig;
import org.apache.flink.metrics.MetricGroup;
import org.apache.flink.metrics.MetricType;
import org.apache.flink.metrics.prometheus.PrometheusReporterFactory;
import org.apache.flink.metrics.reporter.MetricReporter;
import org.apache.flink.runtime.clusterframework.types.ResourceID;
import org.apache.flink.runtime.executiongraph.ExecutionAttemptID;
import org.apache.flink.runtime.metrics.MetricRegistryImpl;
import org.apache.flink.runtime.metrics.MetricRegistryTestUtils;
import org.apache.flink.runtime.metrics.ReporterSetup;
import org.apache.flink.runtime.metrics.filter.ReporterFilter;
import org.apache.flink.runtime.metrics.groups.TaskManagerMetricGroup;
import org.apache.flink.runtime.operators.testutils.MockEnvironment;
import org.apache.flink.runtime.operators.testutils.MockEnvironmentBuilder;

/** A task whose metrics go through Flink's registry to its Prometheus reporter, as on a cluster. */
final class MetricsScrape implements AutoCloseable {
  /** What the operator's own metrics begin with in Prometheus. */
  static final String PREFIX = "flink_taskmanager_job_task_operator_everwatch_";

  private static final Pattern LINE = Pattern.compile("(\\w+)\\{(.*)} (\\S+)");
  private static final Pattern LABEL = Pattern.compile("(\\w+)=\"([^\"]*)\"");
  private static final Set<String> LABELS_OF_FLINK =
      Set.of(
          "host",
          "job_id",
          "job_name",
          "operator_id",
          "operator_name",
          "quantile",
          "subtask_index",
          "task_attempt_id",
          "task_attempt_num",
          "task_id",
          "task_name",
          "tm_id");

  /**
   * One line of Prometheus' text.
   *
   * @param name without {@link #PREFIX}
   * @param labels those that Flink does not set by itself
   */
  record Sample(String name, Map<String, String> labels, double value) {}

  private final MetricRegistryImpl registry;
  private final int port;
  private final Map<String, MetricType> types = new ConcurrentHashMap<>();

  /** Keeps the type of each metric, which Prometheus' text does not tell. */
  private final class Types implements MetricReporter {
    @Override
    public void open(MetricConfig config) {}

    @Override
    public void close() {}

    @Override
    public void notifyOfAddedMetric(Metric metric, String name, MetricGroup group) {
      types.put(name, metric.getMetricType());
    }

    @Override
    public void notifyOfRemovedMetric(Metric metric, String name, MetricGroup group) {}
  }

  MetricsScrape() throws IOException {
    try (ServerSocket free = new ServerSocket(0)) {
      port = free.getLocalPort();
    }
    MetricConfig properties = new MetricConfig();
    properties.put("port", Integer.toString(port));
    registry =
        new MetricRegistryImpl(
            MetricRegistryTestUtils.defaultMetricRegistryConfiguration(),
            Stream.of(new PrometheusReporterFactory().createMetricReporter(properties), new Types())
                .map(MetricsScrape::setup)
                .toList());
  }

  private static ReporterSetup setup(MetricReporter reporter) {
    MetricConfig config = new MetricConfig();
    reporter.open(config);
    return new ReporterSetup(
        reporter.getClass().getSimpleName(),
        config,
        reporter,
        ReporterFilter.getNoOpFilter(),
        Map.of());
  }

  MockEnvironment task() {
    return new MockEnvironmentBuilder()
        .setMaxParallelism(Bench.MAX_PARALLELISM)
        .setMetricGroup(
            TaskManagerMetricGroup.createTaskManagerMetricGroup(
                    registry, "localhost", ResourceID.generate())
                .addJob(new JobID(), "job")
                .addTask(ExecutionAttemptID.randomId(), "task"))
        .build();
  }

  /** What Prometheus gets of the group {@code everwatch}. */
  List<Sample> samples() throws IOException, InterruptedException {
    String text =
        HttpClient.newHttpClient()
            .send(
                HttpRequest.newBuilder(URI.create("http://localhost:" + port + "/metrics")).build(),
                BodyHandlers.ofString())
            .body();
    List<Sample> samples = new ArrayList<>();
    for (String line : text.lines().filter(one -> one.startsWith(PREFIX)).toList()) {
      Matcher parts = LINE.matcher(line);
      assertThat(parts.matches()).as(line).isTrue();
      Map<String, String> labels = new TreeMap<>();
      LABEL
          .matcher(parts.group(2))
          .results()
          .filter(label -> !LABELS_OF_FLINK.contains(label.group(1)))
          .forEach(label -> labels.put(label.group(1), label.group(2)));
      String name = parts.group(1).substring(PREFIX.length());
      samples.add(new Sample(name, labels, Double.parseDouble(parts.group(3))));
    }
    return samples;
  }

  /** The value of a metric; {@code label} as {@code fate=USED}, or empty. */
  double value(String name, String label) throws IOException, InterruptedException {
    return samples().stream()
        .filter(sample -> sample.name().equals(name) && label(sample).equals(label))
        .mapToDouble(Sample::value)
        .findFirst()
        .orElseThrow(() -> new AssertionError("no metric " + name + "{" + label + "}"));
  }

  private static String label(Sample sample) {
    List<String> labels = new ArrayList<>();
    sample.labels().forEach((key, value) -> labels.add(key + "=" + value));
    return String.join(",", labels);
  }

  /** The names in Prometheus that a query may use. */
  Set<String> names() throws IOException, InterruptedException {
    Set<String> names = new TreeSet<>();
    samples().forEach(sample -> names.add(PREFIX + sample.name()));
    return names;
  }

  /** Type as it was registered, of a metric by its own name. */
  MetricType type(String name) {
    MetricType type = types.get(name);
    if (type == null) {
      throw new AssertionError("nothing was registered as " + name);
    }
    return type;
  }

  @Override
  public void close() {
    registry.closeAsync().join();
  }
}

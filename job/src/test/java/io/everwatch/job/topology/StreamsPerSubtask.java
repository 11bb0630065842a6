// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.topology;

import java.util.Map;
import java.util.Properties;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.metrics.Gauge;
import org.apache.flink.metrics.Metric;
import org.apache.flink.metrics.MetricConfig;
import org.apache.flink.metrics.MetricGroup;
import org.apache.flink.metrics.reporter.MetricReporter;
import org.apache.flink.metrics.reporter.MetricReporterFactory;

/** The operator's gauge {@code streams} of each subtask, as a metric reporter sees it. */
public final class StreamsPerSubtask implements MetricReporter {
  private static final Map<Integer, Gauge<?>> GAUGES = new ConcurrentHashMap<>();

  /** Found by Flink as a service. */
  public static final class Factory implements MetricReporterFactory {
    @Override
    public MetricReporter createMetricReporter(Properties properties) {
      return new StreamsPerSubtask();
    }
  }

  static void addTo(Configuration flink) {
    flink.setString("metrics.reporter.streams.factory.class", Factory.class.getName());
  }

  /** By subtask; what one knows now. */
  static Map<Integer, Integer> load() {
    Map<Integer, Integer> load = new TreeMap<>();
    GAUGES.forEach((subtask, gauge) -> load.put(subtask, (Integer) gauge.getValue()));
    return load;
  }

  @Override
  public void open(MetricConfig config) {
    GAUGES.clear();
  }

  @Override
  public void close() {}

  @Override
  public void notifyOfAddedMetric(Metric metric, String name, MetricGroup group) {
    String subtask = group.getAllVariables().get("<subtask_index>");
    if (name.equals("streams") && subtask != null && metric instanceof Gauge<?> gauge) {
      GAUGES.put(Integer.parseInt(subtask), gauge);
    }
  }

  @Override
  public void notifyOfRemovedMetric(Metric metric, String name, MetricGroup group) {}
}

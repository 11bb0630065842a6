// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.topology;

import io.everwatch.job.config.ConfigException;
import io.everwatch.job.config.EverwatchConfig;
import io.everwatch.job.config.Setting;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.apache.flink.configuration.DeploymentOptions;
import org.apache.flink.configuration.HighAvailabilityOptions;
import org.apache.flink.configuration.ReadableConfig;
import org.apache.flink.configuration.StateRecoveryOptions;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Entry for {@code flink run} and application mode: {@code [--config FILE] [--key value …]}. The
 * runtime jar (schemas, kernels, operators) is expected on the cluster's own class path. What would
 * stop the job later is found here, before it is submitted.
 */
public final class EverwatchJob {
  private static final Logger LOG = LoggerFactory.getLogger(EverwatchJob.class);
  private static final String CONFIG = "--config";

  /** How long a broker may take to answer one question. */
  private static final Duration ANSWER = Duration.ofSeconds(20);

  /** The target of a job that the JobManager itself starts. */
  private static final String APPLICATION = "embedded";

  private EverwatchJob() {}

  public static void main(String[] args) throws Exception {
    List<String> wrong = RuntimeJar.problems(EverwatchJob.class.getClassLoader());
    if (!wrong.isEmpty()) {
      throw new StartException(wrong);
    }
    submit(configuration(args));
  }

  private static void submit(EverwatchConfig config) throws Exception {
    report(config).forEach(LOG::info);
    StreamExecutionEnvironment environment =
        StreamExecutionEnvironment.getExecutionEnvironment(FlinkSettings.ofJob(config));
    check(config, environment.getConfiguration());
    EverwatchTopology.build(environment, config);
    try {
      environment.execute("everwatch");
    } catch (Exception e) {
      throw RuntimeJar.missing(e) ? new StartException(RuntimeJar.NOT_ON_THE_CLUSTER, e) : e;
    }
  }

  /** What the log begins with: every setting, and what they mean for who reads the text. */
  static List<String> report(EverwatchConfig config) {
    List<String> lines = new ArrayList<>();
    config.settings().stream().map(Setting::toString).forEach(lines::add);
    lines.addAll(config.latencyNote());
    return lines;
  }

  private static void check(EverwatchConfig config, ReadableConfig flink) {
    try {
      StartChecks.require(config, flink.getOptional(StateRecoveryOptions.SAVEPOINT_PATH), ANSWER)
          .forEach(LOG::warn);
    } catch (StartException e) {
      if (!goesOn(flink)) {
        throw e;
      }
      LOG.warn("a job that started now would be refused: {}", e.getMessage());
    }
  }

  /**
   * Whether a JobManager may run this for a job that is under way: with high availability, an
   * application's next JobManager does. A broker that is away for a moment must not end it then.
   */
  private static boolean goesOn(ReadableConfig flink) {
    return !flink.get(HighAvailabilityOptions.HA_MODE).equalsIgnoreCase("NONE")
        && flink.getOptional(DeploymentOptions.TARGET).filter(APPLICATION::equals).isPresent();
  }

  static EverwatchConfig configuration(String[] args) {
    List<String> overrides = new ArrayList<>(List.of(args));
    int at = overrides.indexOf(CONFIG);
    if (at < 0) {
      return EverwatchConfig.load(Optional.empty(), overrides);
    }
    if (at + 1 == overrides.size()) {
      throw new ConfigException(List.of("--config has no value; expected the path of a YAML file"));
    }
    Path file = Path.of(overrides.get(at + 1));
    overrides.subList(at, at + 2).clear();
    return EverwatchConfig.load(Optional.of(file), overrides);
  }
}

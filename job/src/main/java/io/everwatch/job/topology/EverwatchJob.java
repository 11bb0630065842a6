// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.topology;

import io.everwatch.job.config.ConfigException;
import io.everwatch.job.config.EverwatchConfig;
import io.everwatch.job.config.Setting;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Entry for {@code flink run} and application mode: {@code [--config FILE] [--key value …]}. The
 * runtime jar (schemas, kernels, operators) is expected on the cluster's own class path.
 */
public final class EverwatchJob {
  private static final Logger LOG = LoggerFactory.getLogger(EverwatchJob.class);
  private static final String CONFIG = "--config";

  private EverwatchJob() {}

  public static void main(String[] args) throws Exception {
    EverwatchConfig config = configuration(args);
    config.settings().stream().map(Setting::toString).forEach(LOG::info);
    StreamExecutionEnvironment environment =
        StreamExecutionEnvironment.getExecutionEnvironment(FlinkSettings.ofJob(config));
    EverwatchTopology.build(environment, config);
    environment.execute("everwatch");
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

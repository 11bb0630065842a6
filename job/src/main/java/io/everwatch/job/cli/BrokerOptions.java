// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.cli;

import io.everwatch.job.broker.Brokers;
import java.time.Duration;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import picocli.CommandLine.Option;

/** Which Kafka, for commands that talk to one; a mix-in. */
public final class BrokerOptions {
  @Option(
      names = "--brokers",
      required = true,
      paramLabel = "HOST:PORT[,…]",
      description = "Kafka brokers to begin with.")
  private String brokers = "";

  @Option(
      names = "--kafka",
      paramLabel = "KEY=VALUE",
      description = "Property of the Kafka client, such as security.protocol=SSL; repeatable.")
  private Map<String, String> properties = new LinkedHashMap<>();

  @Option(
      names = "--connect-timeout",
      paramLabel = "TIME",
      converter = DurationConverter.class,
      defaultValue = "10s",
      description = "How long to wait for the first answer (default: ${DEFAULT-VALUE}).")
  private Duration connectTimeout = Duration.ofSeconds(10);

  public String brokers() {
    return brokers;
  }

  public Duration connectTimeout() {
    return connectTimeout;
  }

  /** What was given with {@code --kafka}. */
  public Map<String, String> properties() {
    return Map.copyOf(properties);
  }

  /** Properties of any Kafka client: brokers and what was given with {@code --kafka}. */
  public Map<String, Object> clientProperties() {
    Map<String, Object> all = new HashMap<>(properties);
    all.put("bootstrap.servers", brokers);
    return all;
  }

  /**
   * Asks for the cluster once, so that a wrong address is a message and not a silent wait.
   *
   * @throws io.everwatch.job.broker.UnreachableBrokerException within {@link #connectTimeout}
   */
  public void requireReachable() {
    Brokers.requireReachable(clientProperties(), connectTimeout);
  }
}

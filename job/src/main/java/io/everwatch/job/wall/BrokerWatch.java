// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.wall;

import io.everwatch.job.broker.Brokers;
import io.everwatch.job.broker.UnreachableBrokerException;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;

/** Whether a broker answers: a consumer whose broker is away only waits and tells nobody. */
final class BrokerWatch implements AutoCloseable {
  private static final Duration LIMIT = Duration.ofSeconds(5);
  private static final long EVERY_SECONDS = 10;

  private final Map<String, Object> client;
  private final ScheduledExecutorService clock =
      Executors.newSingleThreadScheduledExecutor(
          task -> {
            Thread thread = new Thread(task, "wall-broker");
            thread.setDaemon(true);
            return thread;
          });
  private volatile String problem = "";

  BrokerWatch(Map<String, Object> client) {
    this.client = client;
    ScheduledFuture<?> unused =
        clock.scheduleWithFixedDelay(this::ask, EVERY_SECONDS, EVERY_SECONDS, TimeUnit.SECONDS);
  }

  private void ask() {
    try {
      Brokers.requireReachable(client, LIMIT);
      problem = "";
    } catch (UnreachableBrokerException e) {
      problem = String.valueOf(e.getMessage());
    }
  }

  /** Empty = it answers. */
  String problem() {
    return problem;
  }

  @Override
  public void close() {
    clock.shutdownNow();
  }
}

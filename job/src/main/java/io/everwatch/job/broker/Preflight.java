// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.broker;

import io.everwatch.job.config.ConfigKeys;
import io.everwatch.job.config.EverwatchConfig;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.KafkaFuture;

/** What of a broker would stop a job after its start, found before it. */
public final class Preflight {
  private Preflight() {}

  /**
   * Looks at topics, rights, limits, transactions and neighbours. Writes nothing that anybody
   * reads; the broker remembers one more transaction id.
   *
   * @param limit how long to wait for each answer
   * @throws UnreachableBrokerException when no broker answers
   */
  public static Findings look(EverwatchConfig config, Duration limit) {
    Map<String, Object> client = new HashMap<>(config.kafkaProperties());
    Brokers.requireReachable(client, limit);
    client.put("default.api.timeout.ms", (int) limit.toMillis());
    client.put("request.timeout.ms", (int) limit.toMillis());
    Findings findings = new Findings();
    try (Admin admin = Admin.create(client)) {
      new TopicChecks(admin, config, findings).look();
      new GroupCheck(admin, config, findings).look();
      TransactionCheck transactions = new TransactionCheck(admin, config, findings);
      switch (config.get(ConfigKeys.DELIVERY)) {
        case EXACTLY_ONCE -> transactions.look(limit);
        case AT_LEAST_ONCE -> transactions.leftOpen();
      }
    }
    return findings;
  }

  /**
   * What the broker answered.
   *
   * @throws KafkaException what it answered instead, or that it did not in time
   */
  static <T> T answer(KafkaFuture<T> future) {
    try {
      return future.get(1, TimeUnit.MINUTES); // the client's own limit is shorter
    } catch (ExecutionException e) {
      throw e.getCause() instanceof KafkaException cause ? cause : new KafkaException(e.getCause());
    } catch (java.util.concurrent.TimeoutException e) {
      throw new org.apache.kafka.common.errors.TimeoutException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new KafkaException("interrupted while a broker was asked", e);
    }
  }
}

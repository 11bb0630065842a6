// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.broker;

import java.math.BigDecimal;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.DescribeClusterResult;
import org.apache.kafka.common.KafkaException;

/** Whether brokers answer. */
public final class Brokers {
  private Brokers() {}

  /**
   * Describes the cluster once.
   *
   * @param client properties of a Kafka client, {@code bootstrap.servers} among them
   * @return one line: cluster ID and number of nodes
   * @throws UnreachableBrokerException when nobody answered within {@code limit}
   */
  public static String requireReachable(Map<String, Object> client, Duration limit) {
    Map<String, Object> properties = new HashMap<>(client);
    int millis = (int) Math.min(limit.toMillis(), Integer.MAX_VALUE);
    properties.put("request.timeout.ms", millis);
    properties.put("default.api.timeout.ms", millis);
    try (Admin admin = Admin.create(properties)) {
      DescribeClusterResult cluster = admin.describeCluster();
      int nodes = cluster.nodes().get(limit.toMillis(), TimeUnit.MILLISECONDS).size();
      return "cluster %s, %d node%s"
          .formatted(
              cluster.clusterId().get(limit.toMillis(), TimeUnit.MILLISECONDS),
              nodes,
              nodes == 1 ? "" : "s");
    } catch (KafkaException | ExecutionException | TimeoutException e) {
      throw unreachable(client, limit, e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw unreachable(client, limit, e);
    }
  }

  static UnreachableBrokerException unreachable(
      Map<String, Object> client, Duration limit, Exception cause) {
    return new UnreachableBrokerException(
        "no Kafka broker answered at %s within %s s; is it running, and are address, port and "
                .formatted(
                    client.get("bootstrap.servers"),
                    BigDecimal.valueOf(limit.toMillis(), 3).stripTrailingZeros().toPlainString())
            + "security settings right? ("
            + reason(cause)
            + ")",
        cause);
  }

  private static String reason(Throwable failure) {
    Throwable root = failure;
    while (root.getCause() != null) {
      root = root.getCause();
    }
    return root.getMessage() == null ? "no answer" : root.getMessage();
  }
}

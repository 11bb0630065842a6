// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.broker;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.Config;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.config.ConfigResource;

/** What of a broker would stop a job after its start, found before it. */
public final class Preflight {
  private static final long WAIT_SECONDS = 10;
  private static final String MAX_TIMEOUT = "transaction.max.timeout.ms";

  private Preflight() {}

  /**
   * Looks for missing topics and for a transaction timeout that the broker would refuse.
   *
   * @param client properties of a Kafka client
   * @param transactionTimeout of the sink; zero = it writes without transactions
   * @return one line per problem, empty when there is none
   * @throws UnreachableBrokerException when no broker answers
   */
  public static List<String> problems(
      Map<String, Object> client, Collection<String> topics, Duration transactionTimeout) {
    List<String> problems = new ArrayList<>();
    try (Admin admin = Admin.create(client)) {
      Set<String> missing = new TreeSet<>(topics);
      missing.removeAll(admin.listTopics().names().get(WAIT_SECONDS, TimeUnit.SECONDS));
      if (!missing.isEmpty()) {
        problems.add(
            "no topic %s at %s; create it with: everwatch topics --brokers %s"
                .formatted(
                    String.join(", ", missing),
                    client.get("bootstrap.servers"),
                    client.get("bootstrap.servers")));
      }
      if (!transactionTimeout.isZero()) {
        checkTimeout(admin, transactionTimeout, problems);
      }
    } catch (KafkaException | TimeoutException e) {
      throw Brokers.unreachable(client, Duration.ofSeconds(WAIT_SECONDS), e);
    } catch (ExecutionException e) {
      if (e.getCause() instanceof org.apache.kafka.common.errors.AuthorizationException) {
        return problems; // may not look; then Kafka itself says so later
      }
      throw Brokers.unreachable(client, Duration.ofSeconds(WAIT_SECONDS), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    return problems;
  }

  private static void checkTimeout(Admin admin, Duration timeout, List<String> problems)
      throws ExecutionException, InterruptedException, TimeoutException {
    Node node =
        admin.describeCluster().nodes().get(WAIT_SECONDS, TimeUnit.SECONDS).iterator().next();
    ConfigResource broker = new ConfigResource(ConfigResource.Type.BROKER, node.idString());
    Config settings =
        admin
            .describeConfigs(List.of(broker))
            .all()
            .get(WAIT_SECONDS, TimeUnit.SECONDS)
            .get(broker);
    ConfigEntry entry = settings == null ? null : settings.get(MAX_TIMEOUT);
    if (entry != null && Long.parseLong(entry.value()) < timeout.toMillis()) {
      problems.add(
          "the job's transactions may stay open for %d ms, but the broker allows %s (%s); raise that"
                  .formatted(timeout.toMillis(), entry.value(), MAX_TIMEOUT)
              + " setting, or lower recovery.max-outage or checkpoint.interval");
    }
  }
}

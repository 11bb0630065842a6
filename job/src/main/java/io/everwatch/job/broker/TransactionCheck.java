// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.broker;

import io.everwatch.job.config.ConfigKeys;
import io.everwatch.job.config.EverwatchConfig;
import java.time.Duration;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ListTransactionsOptions;
import org.apache.kafka.clients.admin.TransactionDescription;
import org.apache.kafka.clients.admin.TransactionListing;
import org.apache.kafka.clients.admin.TransactionState;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.AuthorizationException;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/** Whether the sink will get its transactions, and whether somebody else uses its ids. */
final class TransactionCheck {
  private static final String MAX_TIMEOUT = "transaction.max.timeout.ms";

  private final Admin admin;
  private final EverwatchConfig config;
  private final Findings findings;
  private final String prefix;

  TransactionCheck(Admin admin, EverwatchConfig config, Findings findings) {
    this.admin = admin;
    this.config = config;
    this.findings = findings;
    prefix = config.transactionalIdPrefix();
  }

  void look(Duration limit) {
    begin(limit);
    neighbours();
  }

  /** Asks for an id as the sink will, with the same limit, and begins nothing. */
  private void begin(Duration limit) {
    Map<String, Object> properties = new HashMap<>(config.kafkaProperties());
    properties.put("transactional.id", prefix + "-preflight");
    properties.put("transaction.timeout.ms", (int) config.transactionTimeout().toMillis());
    properties.put("max.block.ms", limit.toMillis());
    try (KafkaProducer<byte[], byte[]> producer =
        new KafkaProducer<>(properties, new ByteArraySerializer(), new ByteArraySerializer())) {
      producer.initTransactions();
    } catch (KafkaException e) {
      refused(e, limit);
    }
  }

  private void refused(KafkaException failure, Duration limit) {
    if (String.valueOf(failure.getMessage())
        .contains(MAX_TIMEOUT)) { // its class gets lost on the way
      findings.problem(
          ("the job's transactions may stay open for %d ms, but the broker allows %s (%s); raise that"
                  + " setting, or lower recovery.max-outage or checkpoint.interval")
              .formatted(config.transactionTimeout().toMillis(), brokersLimit(), MAX_TIMEOUT));
    } else if (has(failure, AuthorizationException.class)) {
      findings.problem(
          Rights.denied(
              "transactional ids that begin with " + prefix,
              "--resource-pattern-type prefixed --transactional-id '" + prefix + "'",
              EnumSet.of(AclOperation.DESCRIBE, AclOperation.WRITE)));
    } else if (has(failure, TimeoutException.class)) {
      findings.problem(
          ("the broker gave no transaction id within %d s: its transaction log cannot be used; look for"
                  + " __transaction_state in its log (transaction.state.log.replication.factor above the number"
                  + " of brokers?), or set delivery: at-least-once")
              .formatted(limit.toSeconds()));
    } else {
      findings.problem(
          ("the broker gave no transaction id (%s); expected one, which exactly-once needs; mend that, or"
                  + " set delivery: at-least-once")
              .formatted(String.valueOf(failure.getMessage())));
    }
  }

  private static boolean has(Throwable failure, Class<? extends Throwable> type) {
    return Stream.iterate(failure, at -> at != null, Throwable::getCause)
        .anyMatch(type::isInstance);
  }

  private String brokersLimit() {
    try {
      String node = Preflight.answer(admin.describeCluster().nodes()).iterator().next().idString();
      ConfigResource broker = new ConfigResource(ConfigResource.Type.BROKER, node);
      return Preflight.answer(admin.describeConfigs(List.of(broker)).all())
              .values()
              .iterator()
              .next()
              .get(MAX_TIMEOUT)
              .value()
          + " ms";
    } catch (RuntimeException e) {
      return "less"; // may not look
    }
  }

  /**
   * At least once: of a run exactly once that did not stop by itself. Nothing is ended here: the
   * checkpoint that the job begins with may still commit some of it.
   */
  void leftOpen() {
    try {
      Map<String, TransactionDescription> open = open();
      long now = System.currentTimeMillis();
      open.values().stream()
          .filter(one -> one.transactionStartTimeMs().isPresent())
          .mapToLong(
              one -> one.transactionStartTimeMs().getAsLong() + one.transactionTimeoutMs() - now)
          .max()
          .ifPresent(
              left ->
                  findings.warning(
                      ("%d transactions of group %s are open (%s), of a run with delivery exactly-once"
                              + " that was not stopped with a savepoint; with at-least-once nobody ends them, and"
                              + " committed readers see nothing that lies behind them until the broker does, in %d"
                              + " s; to have it sooner, end them by hand (kafka-transactions.sh abort) when this"
                              + " job runs")
                          .formatted(
                              open.size(),
                              config.get(ConfigKeys.GROUP),
                              String.join(", ", open.keySet()),
                              Math.max(0, left / 1000))));
    } catch (KafkaException e) {
      findings.warning(
          "it could not be seen whether transactions of group %s were left open (%s); if so, committed"
                  .formatted(config.get(ConfigKeys.GROUP), String.valueOf(e.getMessage()))
              + " readers wait until the broker ends them");
    }
  }

  /** A transaction that began a moment ago: of the job that goes on here, or of one that runs. */
  private void neighbours() {
    try {
      long now = System.currentTimeMillis();
      long recent = 3 * config.get(ConfigKeys.CHECKPOINT_INTERVAL).toMillis();
      open().values().stream()
          .map(TransactionDescription::transactionStartTimeMs)
          .filter(start -> start.isPresent() && now - start.getAsLong() < recent)
          .mapToLong(start -> now - start.getAsLong())
          .min()
          .ifPresent(
              age ->
                  findings.warning(
                      ("a job of group %s began a transaction %.1f s ago; if it still runs beside this one,"
                              + " each ends the other's transactions: stop it, or give this one a group of its"
                              + " own; if this one takes its place, all is well")
                          .formatted(config.get(ConfigKeys.GROUP), age / 1000.0)));
    } catch (KafkaException e) {
      findings.warning(
          "it could not be seen whether another job uses group %s (%s); make sure that none does"
              .formatted(config.get(ConfigKeys.GROUP), String.valueOf(e.getMessage())));
    }
  }

  /** The group's transactions that nobody has ended, by id. */
  private Map<String, TransactionDescription> open() {
    List<String> open =
        Preflight.answer(
                admin
                    .listTransactions(
                        new ListTransactionsOptions()
                            .filterStates(List.of(TransactionState.ONGOING)))
                    .all())
            .stream()
            .map(TransactionListing::transactionalId)
            .filter(id -> id.startsWith(prefix))
            .toList();
    return new TreeMap<>(Preflight.answer(admin.describeTransactions(open).all()));
  }
}

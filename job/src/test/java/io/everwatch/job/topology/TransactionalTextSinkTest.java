// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.topology;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.everwatch.operators.flink.TextRecord;
import java.io.IOException;
import java.lang.reflect.Proxy;
import java.util.List;
import java.util.Map;
import org.apache.flink.api.connector.sink2.WriterInitContext;
import org.apache.flink.connector.base.DeliveryGuarantee;
import org.apache.flink.connector.kafka.sink.KafkaSink;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

class TransactionalTextSinkTest {
  private static final String NOWHERE = "localhost:1";

  @Test
  void anAttemptWithoutABrokerLeavesNoClientBehind() {
    TransactionalTextSink sink = sink(500);
    List<Thread> before = adminThreads();

    assertThatThrownBy(() -> sink.createWriter(untouched()))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("no Kafka broker answered at " + NOWHERE);
    assertThatThrownBy(() -> sink.restoreWriter(untouched(), List.of()))
        .isInstanceOf(IOException.class);

    assertThat(adminThreads()).isSubsetOf(before);
  }

  @Test
  @Timeout(20)
  void anAttemptThatIsCancelledEndsAtOnce() {
    TransactionalTextSink sink = sink(60_000);
    List<Thread> before = adminThreads();
    Thread.currentThread().interrupt(); // as Flink does with a task that is cancelled

    assertThatThrownBy(() -> sink.createWriter(untouched()))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("cancelled");

    assertThat(Thread.interrupted()).as("still cancelled").isTrue();
    assertThat(adminThreads()).isSubsetOf(before);
  }

  private static TransactionalTextSink sink(int timeoutMillis) {
    KafkaSink<TextRecord> connector =
        KafkaSink.<TextRecord>builder()
            .setBootstrapServers(NOWHERE)
            .setRecordSerializer(new TextRecordSchema("text"))
            .setDeliveryGuarantee(DeliveryGuarantee.EXACTLY_ONCE)
            .setTransactionalIdPrefix("nobody")
            .build();
    return new TransactionalTextSink(
        connector,
        Map.of(
            "bootstrap.servers", NOWHERE,
            "request.timeout.ms", Integer.toString(timeoutMillis),
            "default.api.timeout.ms", Integer.toString(timeoutMillis)));
  }

  private static List<Thread> adminThreads() {
    return Thread.getAllStackTraces().keySet().stream()
        .filter(thread -> thread.getName().startsWith("kafka-admin-client-thread"))
        .toList();
  }

  /** A context that the connector must not get to see. */
  private static WriterInitContext untouched() {
    return (WriterInitContext)
        Proxy.newProxyInstance(
            WriterInitContext.class.getClassLoader(),
            new Class<?>[] {WriterInitContext.class},
            (proxy, method, arguments) -> {
              throw new AssertionError(method + " was called");
            });
  }
}

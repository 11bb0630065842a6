// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.topology;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Properties;
import java.util.TreeSet;
import java.util.function.BiConsumer;
import org.apache.flink.api.connector.sink2.Committer;
import org.apache.flink.api.connector.sink2.Committer.CommitRequest;
import org.apache.flink.connector.kafka.sink.KafkaCommittable;
import org.apache.flink.connector.kafka.sink.internal.FlinkKafkaInternalProducer;
import org.apache.kafka.common.errors.InvalidPidMappingException;
import org.apache.kafka.common.errors.ProducerFencedException;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** What follows when the broker will not commit. */
class TextCommitterTest {
  private final ProducerFencedException fenced = new ProducerFencedException("fenced");

  private final List<String> said = new ArrayList<>();
  private final TreeSet<String> aborted = new TreeSet<>();

  /** Says of each request what the connector's committer would. */
  private record Saying(BiConsumer<CommitRequest<KafkaCommittable>, Exception> what, Exception why)
      implements Committer<KafkaCommittable> {
    @Override
    public void commit(Collection<CommitRequest<KafkaCommittable>> requests) {
      requests.forEach(request -> what.accept(request, why));
    }

    @Override
    public void close() {}
  }

  private record Request(KafkaCommittable committable, List<String> said)
      implements CommitRequest<KafkaCommittable> {
    @Override
    public KafkaCommittable getCommittable() {
      return committable;
    }

    @Override
    public int getNumberOfRetries() {
      return 0;
    }

    @Override
    public void signalFailedWithKnownReason(Throwable cause) {
      said.add("passed over");
    }

    @Override
    public void signalFailedWithUnknownReason(Throwable cause) {
      said.add("fails: " + cause.getMessage());
    }

    @Override
    public void retryLater() {
      said.add("later");
    }

    @Override
    public void updateAndRetryLater(KafkaCommittable updated) {
      said.add("updated");
    }

    @Override
    public void signalAlreadyCommitted() {
      said.add("already");
    }
  }

  @Test
  void anAbortedTransactionOfTheRunningJobFailsIt() throws Exception {
    Properties properties = new Properties();
    properties.put("bootstrap.servers", "localhost:1");
    properties.put("key.serializer", ByteArraySerializer.class.getName());
    properties.put("value.serializer", ByteArraySerializer.class.getName());
    try (FlinkKafkaInternalProducer<byte[], byte[]> producer =
        new FlinkKafkaInternalProducer<>(properties, "p-0-0")) {
      commit(CommitRequest::signalFailedWithKnownReason, fenced, producer);
    }
    assertThat(said)
        .singleElement()
        .asString()
        .contains("aborted transaction p-0-0", "transaction.timeout.ms", "writes its text again");
    assertThat(aborted).isEmpty();
  }

  @Test
  void anAbortedTransactionOfTheRestoredCheckpointIsPassedOverAndItsIdFreed() throws Exception {
    commit(CommitRequest::signalFailedWithKnownReason, fenced, null);

    assertThat(said).containsExactly("passed over");
    assertThat(aborted).containsExactly("p-0-0");
  }

  @Test
  void nothingOfLaterCheckpointsIsCommittedBeforeWhatIsWrittenAgain() throws Exception {
    Saying first =
        new Saying(
            (request, why) -> {
              if (!request.getCommittable().getTransactionalId().equals("p-0-1")) {
                request.signalFailedWithKnownReason(why);
              } else {
                said.add("committed");
              }
            },
            fenced);
    try (TextCommitter committer = new TextCommitter(first, aborted::addAll)) {
      committer.commit(List.of(request("p-0-0", null), request("p-1-0", null)));
      committer.commit(List.of(request("p-0-1", null)));
    }
    assertThat(said).containsExactly("passed over", "passed over", "passed over");
    assertThat(aborted).containsExactly("p-0-0", "p-0-1", "p-1-0");
  }

  @Test
  void aTransactionThatTheBrokerHasForgottenDoesNotKeepTheJobDown() throws Exception {
    InvalidPidMappingException forgotten = new InvalidPidMappingException("no such id");
    commit(CommitRequest::signalFailedWithUnknownReason, forgotten, null);

    assertThat(said).containsExactly("passed over");
  }

  @Test
  void anyOtherFailureStaysOne() throws Exception {
    commit(CommitRequest::signalFailedWithUnknownReason, new IllegalStateException("odd"), null);
    commit((request, why) -> request.retryLater(), fenced, null);

    assertThat(said).containsExactly("fails: odd", "later");
    assertThat(aborted).isEmpty();
  }

  private void commit(
      BiConsumer<CommitRequest<KafkaCommittable>, Exception> what,
      Exception why,
      @Nullable FlinkKafkaInternalProducer<?, ?> producer)
      throws Exception {
    try (TextCommitter committer = new TextCommitter(new Saying(what, why), aborted::addAll)) {
      committer.commit(List.of(request("p-0-0", producer)));
    }
  }

  private Request request(String id, @Nullable FlinkKafkaInternalProducer<?, ?> producer) {
    return new Request(new KafkaCommittable(1, (short) 2, id, producer), said);
  }
}

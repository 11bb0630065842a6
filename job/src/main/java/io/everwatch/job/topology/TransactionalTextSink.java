// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.topology;

import io.everwatch.operators.flink.TextRecord;
import java.io.IOException;
import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.flink.api.connector.sink2.Committer;
import org.apache.flink.api.connector.sink2.CommitterInitContext;
import org.apache.flink.api.connector.sink2.Sink;
import org.apache.flink.api.connector.sink2.StatefulSinkWriter;
import org.apache.flink.api.connector.sink2.SupportsCommitter;
import org.apache.flink.api.connector.sink2.SupportsWriterState;
import org.apache.flink.api.connector.sink2.WriterInitContext;
import org.apache.flink.connector.kafka.sink.KafkaCommittable;
import org.apache.flink.connector.kafka.sink.KafkaSink;
import org.apache.flink.connector.kafka.sink.KafkaWriterState;
import org.apache.flink.connector.kafka.sink.TwoPhaseCommittingStatefulSink;
import org.apache.flink.core.io.SimpleVersionedSerializer;
import org.apache.flink.streaming.api.connector.sink2.CommittableMessage;
import org.apache.flink.streaming.api.connector.sink2.SupportsPostCommitTopology;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.kafka.clients.admin.Admin;

/**
 * The connector's exactly-once sink, kept from going on after a loss. By itself it logs a
 * transaction that the broker has aborted and continues, and the text is gone; here that fails a
 * running job, so that its restore writes the text again ({@link TextCommitter}), and a checkpoint
 * that would forget text whose transaction is still open fails as well ({@link TextWriter}). See
 * docs/adr/0009.
 */
final class TransactionalTextSink
    implements Sink<TextRecord>,
        SupportsWriterState<TextRecord, KafkaWriterState>,
        SupportsCommitter<KafkaCommittable>,
        SupportsPostCommitTopology<KafkaCommittable> {
  private static final long serialVersionUID = 1;

  private static final long ABORT_SECONDS = 60;

  private final KafkaSink<TextRecord> sink;
  private final HashMap<String, Object> client;

  /**
   * Wraps a sink.
   *
   * @param sink exactly once
   * @param client properties of a Kafka client, for what the connector does not do by itself
   */
  TransactionalTextSink(KafkaSink<TextRecord> sink, Map<String, String> client) {
    this.sink = sink;
    this.client = new HashMap<>(client);
  }

  @Override
  public TextWriter createWriter(WriterInitContext context) throws IOException {
    requireBroker();
    return new TextWriter(connector().createWriter(context), 0);
  }

  @Override
  public StatefulSinkWriter<TextRecord, KafkaWriterState> restoreWriter(
      WriterInitContext context, Collection<KafkaWriterState> states) throws IOException {
    requireBroker();
    return new TextWriter(
        connector().restoreWriter(context, states), context.getRestoredCheckpointId().orElse(0));
  }

  /**
   * Without a broker the connector's writer would fail in its constructor, where {@link
   * AbandonedAdmin} cannot reach it: one more client for every attempt of an outage.
   */
  private void requireBroker() throws IOException {
    try {
      askBroker();
    } catch (ExecutionException e) {
      throw new IOException(
          "no Kafka broker answered at %s: %s; expected one for the text; the job starts again until one"
                  .formatted(client.get("bootstrap.servers"), e.getCause())
              + " does",
          e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("cancelled while a broker was looked for", e);
    }
  }

  private void askBroker() throws ExecutionException, InterruptedException {
    Admin admin = Admin.create(client);
    try {
      admin.describeCluster().nodes().get(); // within default.api.timeout.ms
    } finally {
      admin.close(Duration.ZERO); // a question that is still open must not hold up a cancelled job
    }
  }

  @Override
  public Committer<KafkaCommittable> createCommitter(CommitterInitContext context) {
    return new TextCommitter(sink.createCommitter(context), this::abort);
  }

  private void abort(Set<String> ids) throws IOException, InterruptedException {
    Admin admin = Admin.create(client);
    try {
      admin.fenceProducers(ids).all().get(ABORT_SECONDS, TimeUnit.SECONDS);
    } catch (ExecutionException | TimeoutException e) {
      throw new IOException(
          "transactions of an earlier run (%s) could not be aborted within %d s; the job starts and"
                  .formatted(ids, ABORT_SECONDS)
              + " tries again; is the broker well, and may the job write under these transactional"
              + " ids?",
          e);
    } finally {
      admin.close(Duration.ZERO); // as above
    }
  }

  /** The interface that the connector's writer is visible by. */
  private TwoPhaseCommittingStatefulSink<TextRecord, KafkaWriterState, KafkaCommittable>
      connector() {
    return sink;
  }

  @Override
  public SimpleVersionedSerializer<KafkaWriterState> getWriterStateSerializer() {
    return sink.getWriterStateSerializer();
  }

  @Override
  public SimpleVersionedSerializer<KafkaCommittable> getCommittableSerializer() {
    return sink.getCommittableSerializer();
  }

  @Override
  public void addPostCommitTopology(DataStream<CommittableMessage<KafkaCommittable>> committables) {
    sink.addPostCommitTopology(committables);
  }
}

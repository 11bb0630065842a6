// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.topology;

import io.everwatch.operators.flink.TextRecord;
import java.io.IOException;
import java.util.Collection;
import java.util.List;
import org.apache.flink.api.common.eventtime.Watermark;
import org.apache.flink.api.connector.sink2.CommittingSinkWriter;
import org.apache.flink.api.connector.sink2.StatefulSinkWriter;
import org.apache.flink.connector.kafka.sink.KafkaCommittable;
import org.apache.flink.connector.kafka.sink.KafkaWriterState;
import org.apache.flink.connector.kafka.sink.TwoPhaseCommittingStatefulSink.PrecommittingStatefulSinkWriter;
import org.apache.flink.connector.kafka.sink.internal.CheckpointTransaction;

/**
 * The connector's writer, and the check that no checkpoint forgets text that is not committed. Each
 * record says up to which checkpoint the operator before it forgets text with its next one; it
 * comes through the same channel as that one's barrier, so the check is never late.
 */
final class TextWriter
    implements StatefulSinkWriter<TextRecord, KafkaWriterState>,
        CommittingSinkWriter<TextRecord, KafkaCommittable> {
  private final PrecommittingStatefulSinkWriter<TextRecord, KafkaWriterState, KafkaCommittable>
      writer;

  /** What was written before it was settled when the operator was opened. */
  private final long restoredCheckpoint;

  private long settled;

  TextWriter(
      PrecommittingStatefulSinkWriter<TextRecord, KafkaWriterState, KafkaCommittable> writer,
      long restoredCheckpoint) {
    this.writer = writer;
    this.restoredCheckpoint = restoredCheckpoint;
  }

  @Override
  public void write(TextRecord text, Context context) throws IOException, InterruptedException {
    settled = Math.max(settled, text.settled());
    writer.write(text, context);
  }

  /**
   * The connector's state.
   *
   * @throws IOException when it names a transaction that should have been committed long ago
   */
  @Override
  public List<KafkaWriterState> snapshotState(long checkpoint) throws IOException {
    List<KafkaWriterState> states = writer.snapshotState(checkpoint);
    for (KafkaWriterState state : states) {
      for (CheckpointTransaction open : state.getPrecommittedTransactionalIds()) {
        check(open, checkpoint);
      }
    }
    return states;
  }

  private void check(CheckpointTransaction open, long checkpoint) throws IOException {
    if (open.getCheckpointId() > restoredCheckpoint && open.getCheckpointId() <= settled) {
      throw new IOException(
          "transaction %s is not committed, though checkpoint %d, which has its text, and the one"
                  .formatted(open.getTransactionalId(), settled)
              + " after it were complete; checkpoint %d would forget that text, so the job starts"
                  .formatted(checkpoint)
              + " again from the one before; look for lost connections between JobManager and"
              + " TaskManagers if this repeats");
    }
  }

  @Override
  public Collection<KafkaCommittable> prepareCommit() throws IOException, InterruptedException {
    return writer.prepareCommit();
  }

  @Override
  public void flush(boolean endOfInput) throws IOException, InterruptedException {
    writer.flush(endOfInput);
  }

  @Override
  public void writeWatermark(Watermark watermark) throws IOException, InterruptedException {
    writer.writeWatermark(watermark);
  }

  @Override
  public void close() throws Exception {
    try (AutoCloseable admin = () -> AbandonedAdmin.close(writer)) {
      writer.close();
    }
  }
}

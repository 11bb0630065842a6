// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.topology;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.everwatch.operators.flink.StreamKey;
import io.everwatch.operators.flink.TextRecord;
import io.everwatch.schemas.EventHeaders;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import org.apache.flink.api.connector.sink2.SinkWriter;
import org.apache.flink.connector.kafka.sink.KafkaCommittable;
import org.apache.flink.connector.kafka.sink.KafkaWriterState;
import org.apache.flink.connector.kafka.sink.TwoPhaseCommittingStatefulSink.PrecommittingStatefulSinkWriter;
import org.apache.flink.connector.kafka.sink.internal.CheckpointTransaction;
import org.apache.flink.connector.kafka.sink.internal.TransactionOwnership;
import org.junit.jupiter.api.Test;

/** No checkpoint forgets text of a transaction that is not committed. */
class TextWriterTest {
  private static final SinkWriter.Context CONTEXT =
      new SinkWriter.Context() {
        @Override
        public long currentWatermark() {
          return 0;
        }

        @Override
        public Long timestamp() {
          return 0L;
        }
      };

  /** The connector's writer with the transactions that it knows of. */
  private static final class FakeWriter
      implements PrecommittingStatefulSinkWriter<TextRecord, KafkaWriterState, KafkaCommittable> {
    private final List<CheckpointTransaction> open = new ArrayList<>();
    private final List<TextRecord> written = new ArrayList<>();

    @Override
    public void write(TextRecord text, Context context) {
      written.add(text);
    }

    @Override
    public List<KafkaWriterState> snapshotState(long checkpoint) {
      return List.of(
          new KafkaWriterState(
              "p", 0, 1, TransactionOwnership.EXPLICIT_BY_WRITER_STATE, List.copyOf(open)));
    }

    @Override
    public Collection<KafkaCommittable> prepareCommit() {
      return List.of();
    }

    @Override
    public void flush(boolean endOfInput) {}

    @Override
    public void close() {}
  }

  private final FakeWriter connector = new FakeWriter();

  @Test
  void letsTheNewestTransactionsBeOpen() throws Exception {
    TextWriter writer = new TextWriter(connector, 0);
    connector.open.add(new CheckpointTransaction("p-0-0", 6));
    writer.write(text(5), CONTEXT);

    assertThat(writer.snapshotState(7)).hasSize(1);
    assertThat(connector.written).hasSize(1);
  }

  @Test
  void refusesACheckpointThatForgetsTextOfAnOpenTransaction() throws Exception {
    TextWriter writer = new TextWriter(connector, 0);
    connector.open.add(new CheckpointTransaction("p-0-0", 5));
    writer.write(text(4), CONTEXT);
    writer.snapshotState(7);
    writer.write(text(5), CONTEXT);
    writer.write(text(5), CONTEXT);

    assertThatThrownBy(() -> writer.snapshotState(8))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("p-0-0")
        .hasMessageContaining("checkpoint 5")
        .hasMessageContaining("checkpoint 8");
  }

  @Test
  void leavesWhatWasSettledAtTheRestoreAlone() throws Exception {
    TextWriter writer = new TextWriter(connector, 5);
    connector.open.add(new CheckpointTransaction("p-0-0", 5)); // after a change of parallelism
    writer.write(text(6), CONTEXT);

    assertThat(writer.snapshotState(8)).hasSize(1);
  }

  private static TextRecord text(long settled) {
    return new TextRecord(StreamKey.of("a"), new byte[0], EventHeaders.NONE, 1, settled);
  }
}
